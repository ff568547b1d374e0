/*
id: new-kind-of-identity
title: Identity writes a new kind of workload
severity: low
confidence: low
risk: 8
attack: [T1610]
tactics: [Execution]
description: >-
  Somebody who has written workloads for some time writes a kind that reaches far or comes back (DaemonSet,
  CronJob, StatefulSet, Job, ReplicationController, or a bare ReplicaSet) for the first time.
blind_spots: >-
  What was before the log begins. Identities with few writes have no habits that they could break.
false_positives:
  - New work
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
    description: How long the log must run before something counts as new
  writes:
    type: integer
    default: 10
    description: How many workload writes of the identity show its habits
*/
SELECT
  event_id,
  'the first ' || kind || ' of ' || identity || ' in this log: ' || object || coalesce(' in ' || namespace, '') || ', after '
    || (nth - 1) || ' other workloads' AS reason
FROM history_writes_numbered
WHERE in_scope AND nth_of_kind = 1 AND nth > $writes AND log_seconds >= $learning_seconds
  AND kind IN ('DaemonSet', 'CronJob', 'StatefulSet', 'Job', 'ReplicaSet', 'ReplicationController')
