/*
id: workload-deleted
title: Workload deleted by a person
severity: low
confidence: high
risk: 3
attack: [T1485, T1489]
tactics: [Impact]
description: >-
  A person deletes a workload that is not recreated. Pods are left out, because their controllers replace them.
blind_spots: Workloads scaled to zero, or deleted with their namespace.
false_positives:
  - Engineers at work
triage:
  - SELECT time, verb, resource, namespace, name, outcome FROM events WHERE username = '<identity>' AND verb IN ('delete', 'deletecollection') ORDER BY time
  - SELECT time, username, verb, kind, name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
  - SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1489/
covers: [IM-001]
*/
SELECT
  event_id,
  'deletes ' || resource || ' ' || coalesce(name, '') || coalesce(' in ' || namespace, '') AS reason
FROM events
WHERE verb = 'delete' AND subresource IS NULL AND outcome = 'allowed' AND identity_kind = 'human'
  AND resource IN ('deployments', 'statefulsets', 'daemonsets', 'cronjobs', 'jobs', 'replicationcontrollers', 'replicasets', 'deploymentconfigs')
