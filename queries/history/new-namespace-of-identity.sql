/*
id: new-namespace-of-identity
title: First workload write by an identity in a namespace
severity: info
confidence: low
risk: 4
attack: [T1610]
tactics: [Execution]
description: >-
  Somebody who has written workloads for some time does so in a namespace for the first time. It adds to the
  risk of the write.
blind_spots: >-
  What was before the log begins. Identities with few writes have no habits that they could break.
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
    description: How long the log must run before something counts as new
  writes:
    type: integer
    default: 5
    description: How many workload writes of the identity show its habits
*/
SELECT
  event_id,
  'the first workload of ' || identity || ' in namespace ' || namespace || ': ' || object || ', after ' || (nth - 1)
    || ' elsewhere' AS reason
FROM history_writes_numbered
WHERE in_scope AND nth_of_namespace = 1 AND nth > $writes AND log_seconds >= $learning_seconds AND namespace IS NOT NULL
