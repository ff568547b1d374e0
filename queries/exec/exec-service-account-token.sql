/*
id: exec-service-account-token
title: Service account token read through exec
severity: high
confidence: high
risk: 60
attack: [T1609, T1528, T1552.001]
tactics: [Credential Access, Lateral Movement]
description: >-
  A command run in a container reads the token of the pod's service account, or a token for a cloud. The token gives
  access to the cluster or the cloud as the workload, from anywhere.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Setup of a program that authenticates with a token, such as Vault
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1528/
  - https://stratus-red-team.cloud/attack-techniques/kubernetes/k8s.credential-access.steal-serviceaccount-token/
covers: [EX-007]
*/
SELECT
  event_id,
  'command in ' || object || ' reads ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind IN ('service account token')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
  -- Whether a file exists is not secret: one such program and its arguments, which print no content.
  AND NOT coalesce(
    words[1] IN ('ls', 'stat', 'test', '[', 'readlink', 'realpath')
    OR words[1] IN ('wc', 'file') AND regexp_like(array_to_string(words, ' '), '^(wc|file) (-[bclLw]+ )*(/[\w.-]+)+$'), false)
