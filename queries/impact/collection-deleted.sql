/*
id: collection-deleted
title: Collection of workloads or volumes deleted
severity: medium
confidence: high
risk: 40
attack: [T1485, T1489]
tactics: [Impact]
description: An identity other than a controller deletes all workloads, volumes or services of a kind in one request.
blind_spots: Objects deleted one by one, as kubectl does even with --all.
false_positives:
  - Tools that clean up test namespaces
triage:
  - SELECT time, verb, resource, namespace, name, outcome FROM events WHERE username = '<identity>' AND verb IN ('delete', 'deletecollection') ORDER BY time
  - SELECT time, username, verb, kind, name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
  - SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1485/
covers: [IM-002]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' deletes ' || CASE WHEN coalesce(query_value(request_uri, 'labelSelector'), query_value(request_uri, 'fieldSelector'), '') <> '' THEN 'selected ' ELSE 'all ' END
    || resource || coalesce(' in ' || namespace, '') AS reason
FROM events
WHERE verb = 'deletecollection' AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'system', 'node')
  AND resource IN (
    'deployments', 'statefulsets', 'daemonsets', 'replicasets', 'cronjobs', 'replicationcontrollers', 'pods', 'services',
    'persistentvolumeclaims', 'persistentvolumes', 'namespaces'
  )
