/*
id: platform-workload-deleted
title: Platform workload deleted by a person
severity: medium
confidence: medium
risk: 30
attack: [T1489, T1685]
tactics: [Impact, Defense Impairment]
description: >-
  A person deletes a workload in a platform namespace. Networking, admission, monitoring or security may stop, or an
  attacker removes a hidden workload.
blind_spots: Workloads scaled to zero.
false_positives:
  - Manual removal of a platform component
triage:
  - SELECT time, verb, resource, namespace, name, outcome FROM events WHERE username = '<identity>' AND verb IN ('delete', 'deletecollection') ORDER BY time
  - SELECT time, username, verb, kind, name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
  - SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1489/
  - https://attack.mitre.org/techniques/T1685/
covers: [IM-001]
*/
SELECT
  event_id,
  CASE WHEN verb = 'delete' THEN 'deletes ' ELSE 'scales to zero: ' END || resource || ' ' || coalesce(events.name, '') || ' of '
    || owner || ' in ' || events.namespace AS reason
FROM events
JOIN system_namespaces ON events.namespace LIKE system_namespaces.namespace
WHERE activity = 'workload' AND outcome = 'allowed' AND identity_kind = 'human'
  AND resource IN ('deployments', 'statefulsets', 'daemonsets', 'cronjobs', 'replicationcontrollers')
  AND ((verb = 'delete' AND subresource IS NULL) OR (subresource = 'scale' AND scale_replicas = 0))
UNION ALL
SELECT event_id, 'scales to zero: ' || object || ' of ' || owner || ' in ' || changes.namespace AS reason
FROM changes
JOIN system_namespaces ON changes.namespace LIKE system_namespaces.namespace
WHERE change = 'replicas' AND after = '0' AND outcome = 'allowed' AND identity_kind = 'human'
