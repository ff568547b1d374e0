/*
id: credential-secret-read-by-new-identity
title: Platform credential read by a new identity
severity: medium
confidence: medium
risk: 30
attack: [T1552.007, T1078]
tactics: [Credential Access, Initial Access]
description: >-
  An identity that appeared in the log recently reads a secret whose name indicates a token, a kubeconfig, a private key
  or a registry password.
blind_spots: >-
  Identities that are idle for long after their first request, and those present from the beginning of the log.
false_positives:
  - New colleagues who set up a client or a registry
triage:
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, verb, resource, namespace, name, outcome FROM events WHERE activity = 'rbac' AND username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
  - https://attack.mitre.org/techniques/T1552/007/
covers: [CA-005, CA-016]
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
WITH all_stages AS (
  SELECT cluster, username, time FROM stages
  UNION ALL
  SELECT cluster, username, time FROM stages_history
),
begins AS (SELECT cluster, min(time) AS begin FROM all_stages GROUP BY cluster),
firsts AS (SELECT cluster, username, min(time) AS first FROM all_stages GROUP BY cluster, username)
SELECT
  event_id,
  reads.username || ', first seen at ' || first || ', reads secret ' || coalesce(namespace || '/', '') || name AS reason
FROM (
  SELECT *
  FROM client_requests
  WHERE activity = 'secret' AND resource = 'secrets' AND (verb = 'get' OR verb IN ('list', 'watch') AND name IS NOT NULL) AND outcome = 'allowed'
    AND (identity_kind = 'human' OR identity_kind = 'service_account' AND tool_kind <> 'other')
    AND regexp_like(name, $names)
) AS reads
JOIN begins ON reads.cluster = begins.cluster
JOIN firsts ON reads.cluster = firsts.cluster AND reads.username = firsts.username
WHERE date_part('epoch', first) - date_part('epoch', begin) >= $learning_seconds
  AND date_part('epoch', time) - date_part('epoch', first) <= $new_seconds
