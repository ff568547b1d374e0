/*
id: first-request-of-identity
title: First request of an identity
severity: info
confidence: medium
risk: 5
attack: [T1078]
tactics: [Initial Access]
description: >-
  A person or service account that is new to the log and the look-back sends a successful request: a new colleague, new
  automation, or an attacker's credential.
blind_spots: Activity before the log begins. Identities active within its first moments count as known.
false_positives:
  - New people and new automation
triage:
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1078/
covers: [IA-006, IA-008]
controls: [IAM-16]
parameters:
  learning_seconds:
    type: integer
    default: 30
    description: How long the log must run before an identity counts as new
*/
WITH requests AS (
  SELECT *, true AS in_scope FROM events
  UNION ALL
  SELECT *, false AS in_scope FROM events_history
),
numbered AS (
  SELECT
    event_id, cluster, username, client_ip, user_agent, time, in_scope,
    row_number() OVER (PARTITION BY cluster, username ORDER BY time, event_id) AS nth
  FROM requests
  WHERE identity_kind IN ('human', 'service_account', 'cloud_service_account') AND outcome = 'allowed'
),
begins AS (
  SELECT cluster, min(time) AS begin FROM (SELECT cluster, time FROM stages UNION ALL SELECT cluster, time FROM stages_history)
  GROUP BY cluster
)
SELECT
  event_id,
  'first request by ' || username || ' in this log, from ' || coalesce(client_ip, '?') || ' with '
    || coalesce(user_agent, '?') AS reason
FROM numbered
JOIN begins USING (cluster)
WHERE nth = 1 AND in_scope AND date_diff('second', begin, time) >= $learning_seconds
