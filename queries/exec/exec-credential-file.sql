/*
id: exec-credential-file
title: Credential file read through exec
severity: high
confidence: high
risk: 50
attack: [T1609, T1552.001, T1552.004]
tactics: [Credential Access]
description: >-
  A command run in a container names a file with credentials: password hashes, private keys, kubeconfigs, cluster keys,
  cloud credentials or stored passwords. Files that may hold a secret (keys and key stores of any name, mounted secrets,
  sudoers) are medium. Commands that only use a key, or that read public files, are not reported.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Engineers who check that a program has its credentials
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1552/001/
covers: [EX-007]
*/
WITH lines AS (
  SELECT
    *,
    -- A program that receives its key as an option uses it. Certificates, and the files beside the token of a service
    -- account, are not secret.
    regexp_replace(
      code,
      '(^|\s)(--?[\w-]*(key|cert|certificate|ca|cafile|kubeconfig|config|keystore|truststore|secret)(-?file|-?path|-?location)?|sslkey|sslcert|sslrootcert)[=\s]+\S+|\S*serviceaccount/(namespace|ca\.crt|service-ca\.crt)\b|\S*\b(ca|cacerts?|ca[-_]?bundle|ca-certificates|tls-ca-bundle|root|rootca|root-cert|cert|certs|certificate|chain|fullchain|cert-chain|dhparams?)\.(pem|jks)(\s|$)|/(etc/ssl/certs|etc/pki/(tls/certs|ca-trust)|usr/share/ca-certificates)/\S*\.pem\b',
      ' ', 'gi') AS without_public
  FROM command_lines
  WHERE source = 'exec' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
)
SELECT
  event_id,
  'command in ' || object || ' reads ' || what || ': ' || left(line, 300) AS reason,
  CASE kind WHEN 'guarded file' THEN 'medium' ELSE 'high' END AS severity
FROM lines
JOIN command_patterns
  ON regexp_like(CASE kind WHEN 'guarded file' THEN without_public ELSE code END, pattern, 'is')
WHERE kind IN ('credential file', 'guarded file')
  -- Whether a file exists is not secret: one such program and its arguments, which print no content.
  AND NOT coalesce(
    words[1] IN ('ls', 'stat', 'test', '[', 'readlink', 'realpath')
    OR words[1] IN ('wc', 'file') AND regexp_like(array_to_string(words, ' '), '^(wc|file) (-[bclLw]+ )*(/[\w.-]+)+$'), false)
