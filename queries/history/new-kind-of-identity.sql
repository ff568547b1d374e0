/*
id: new-kind-of-identity
title: Identity writes a new kind of workload
severity: low
confidence: low
risk: 8
attack: [T1610]
tactics: [Execution]
description: >-
  An identity with workload writes in its baseline writes a kind with a wide or lasting effect (DaemonSet, CronJob,
  StatefulSet, Job, ReplicationController, or a bare ReplicaSet) for the first time.
blind_spots: Activity before the log begins. Identities with few writes, which have no baseline.
false_positives:
  - New tasks
triage:
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, username, verb, object, outcome FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-007]
controls: [AIS-06]
parameters:
  learning_seconds:
    type: integer
    default: 300
    description: How long the log must run before a kind counts as new
  writes:
    type: integer
    default: 10
    description: Number of workload writes that establish a baseline
*/
SELECT
  event_id,
  'first ' || kind || ' by ' || identity || ' in this log: ' || object || coalesce(' in ' || namespace, '') || ', after '
    || (nth - 1) || ' other workloads' AS reason
FROM history_writes_numbered
WHERE in_scope AND nth_of_kind = 1 AND nth > $writes AND log_seconds >= $learning_seconds
  AND kind IN ('DaemonSet', 'CronJob', 'StatefulSet', 'Job', 'ReplicaSet', 'ReplicationController')
