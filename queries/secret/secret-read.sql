/*
id: secret-read
aliases: [credential-secret-read, credential-secret-read-by-new-identity]
title: Secret read
severity: low
confidence: medium
risk: 30
attack: [T1552.007, T1528, T1078]
tactics: [Credential Access, Initial Access]
description: >-
  A person reads a secret (info). The severity is low where the name indicates a token, a kubeconfig, a private key or a
  registry password, which work outside the application, and where an account reads such a secret from a shell; it is
  medium where the reader appeared in the log recently.
blind_spots: >-
  Secrets returned by a list. Credentials under other names. Identities that are idle for long after their first
  request, and those present from the beginning of the log.
false_positives:
  - Everyday work
  - Administrators who renew or check a credential
  - New colleagues who set up a client or a registry
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
  - https://attack.mitre.org/techniques/T1552/007/
covers: [CA-016, CA-005]
controls: [DSP-15]
parameters:
  names:
    type: text
    default: '(^|[-_.])(tokens?|kubeconfig|admin-?conf|dockercfg|dockerconfigjson|regcred|registry|pull-?secrets?|image-?pull|bootstrap-token|tls|certs?|ca|private-?key|ssh|id-rsa|aws|gcp|azure|vault|root|admin)([-_.]|$)'
    description: Names of secrets that hold credentials, as a regular expression
  learning_seconds:
    type: integer
    default: 300
    description: How long the log must run before an identity counts as new
  new_seconds:
    type: integer
    default: 3600
    description: How long an identity counts as new
*/
WITH firsts AS (
  SELECT cluster, username, min(time) AS first
  FROM (SELECT cluster, username, time FROM stages UNION ALL SELECT cluster, username, time FROM stages_history)
  GROUP BY cluster, username
)
SELECT
  event_id,
  CASE WHEN is_new THEN 'medium' WHEN is_credential THEN 'low' ELSE 'info' END AS severity,
  reader || CASE WHEN is_new THEN ', first seen at ' || first || ',' ELSE '' END || ' reads secret '
    || coalesce(namespace || '/', '') || coalesce(name, '?') AS reason
FROM (
  SELECT
    *,
    is_credential AND identity_kind <> 'anonymous'
      AND date_diff('second', log_begins, first) >= $learning_seconds AND date_diff('second', first, time) <= $new_seconds AS is_new
  FROM (SELECT *, coalesce(regexp_like(name, $names), false) AS is_credential FROM secret_reads WHERE NOT is_list) AS reads
  JOIN history_begins ON history_begins.cluster = reads.cluster
  LEFT JOIN firsts ON firsts.cluster = reads.cluster AND firsts.username = reads.username
)
WHERE is_credential OR identity_kind IN ('human', 'anonymous')
