/*
id: cron-job-written
title: CronJob created or changed
severity: low
confidence: medium
risk: 5
attack: [T1610, T1053.007]
tactics: [Execution, Persistence]
description: An identity creates or changes a CronJob. Its code runs repeatedly, also after the current pods are gone.
blind_spots: >-
  None: the request is visible at every audit level.
false_positives:
  - Backups, reports and deployments
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
covers: [WL-050]
controls: [AIS-06]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' writes ' || object || coalesce(', schedule ' || schedule, '') AS reason
FROM pods_workloads
WHERE kind = 'CronJob' AND subresource IS NULL AND identity_kind <> 'controller'
