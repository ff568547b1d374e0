/*
id: frequent-cron-job
title: CronJob scheduled every five minutes or more often
severity: low
confidence: medium
risk: 10
attack: [T1610, T1053.007]
tactics: [Execution, Persistence]
description: >-
  A CronJob is written that runs every five minutes or more often, as malware beacons and watchdogs do, and some health
  checks.
blind_spots: Writes logged at Metadata level. Lists of minutes with fewer than twelve entries.
false_positives:
  - Health checks and queues
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
  - https://attack.mitre.org/techniques/T1053/007/
covers: [WL-051]
controls: [AIS-06]
*/
SELECT event_id, object || ' runs at ' || schedule AS reason
FROM pods_workloads
WHERE regexp_like(schedule, '^\s*(@every +([1-5]?[0-9]s|[1-5]m)|(\*|(\*|0|0-59)/[1-5]|[0-9]+(,[0-9]+){11,}) +(\*|\*/1|0-23) +(\*|\*/1) +(\*|\*/1) +(\*|\*/1|0-6|1-7))\s*$')
