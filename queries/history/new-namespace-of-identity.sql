/*
id: new-namespace-of-identity
title: First workload write by an identity in a namespace
severity: info
confidence: low
risk: 4
attack: [T1610]
tactics: [Execution]
description: >-
  An identity with workload writes in its baseline writes one in a namespace for the first time. The finding adds to the
  risk of the write.
blind_spots: Activity before the log begins. Identities with few writes, which have no baseline.
false_positives:
  - People who change teams; platform engineers
triage:
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, username, verb, object, outcome FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-004]
controls: [AIS-06]
parameters:
  learning_seconds:
    type: integer
    default: 600
    description: How long the log must run before a namespace counts as new
  writes:
    type: integer
    default: 5
    description: Number of workload writes that establish a baseline
*/
SELECT
  event_id,
  'first workload by ' || identity || ' in namespace ' || namespace || ': ' || object || ', after ' || (nth - 1)
    || ' in other namespaces' AS reason
FROM history_writes_numbered
WHERE in_scope AND nth_of_namespace = 1 AND nth > $writes AND log_seconds >= $learning_seconds AND namespace IS NOT NULL
