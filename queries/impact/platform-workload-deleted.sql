/*
id: platform-workload-deleted
title: Workload of the platform deleted by a person
severity: medium
confidence: medium
risk: 30
attack: [T1489, T1685]
tactics: [Impact, Defense Impairment]
description: >-
  A person deletes a workload in a namespace that belongs to the platform: networking, admission, monitoring or
  security may stop, or something that was hidden there is taken away again.
blind_spots: >-
  Workloads that are scaled to nothing.
false_positives:
  - Removing a part of the platform by hand
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
  'deletes ' || resource || ' ' || coalesce(events.name, '') || ' of ' || owner || ' in ' || events.namespace AS reason
FROM events
JOIN system_namespaces ON events.namespace LIKE system_namespaces.namespace
WHERE verb = 'delete' AND subresource IS NULL AND outcome = 'allowed' AND identity_kind = 'human'
  AND resource IN ('deployments', 'statefulsets', 'daemonsets', 'cronjobs', 'replicationcontrollers')
