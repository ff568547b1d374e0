/*
id: first-workload-by-identity
title: First workload by an identity
severity: low
confidence: low
risk: 12
attack: [T1610, T1078]
tactics: [Execution, Initial Access]
description: >-
  An identity writes a workload for the first time in the log and the look-back: a new colleague, new automation, or a
  stolen credential.
blind_spots: Activity before the log begins. Identities active within its first moments count as known.
false_positives:
  - New people and new automation
triage:
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
references:
  - https://attack.mitre.org/techniques/T1078/
covers: [WS-001, IA-008]
controls: [AIS-06]
parameters:
  learning_seconds:
    type: integer
    default: 30
    description: How long the log must run before an identity counts as new
*/
WITH writes AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, username ORDER BY time, event_id) AS nth
  FROM all_workloads
  WHERE outcome = 'allowed' AND identity_kind <> 'controller'
)
SELECT
  event_id,
  'first workload by ' || username || ' in this log: ' || object || coalesce(' in ' || namespace, '') AS reason
FROM writes
JOIN history_begins USING (cluster)
WHERE nth = 1 AND in_scope
  AND date_diff('second', log_begins, time) >= $learning_seconds
