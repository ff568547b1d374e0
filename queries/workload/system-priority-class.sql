/*
id: system-priority-class
title: System priority class outside system namespaces
severity: medium
routine: low
confidence: medium
risk: 20
attack: [T1610, T1685]
tactics: [Execution, Defense Impairment]
description: >-
  A workload outside the platform namespaces uses a system priority class. It evicts other pods, including security
  agents, and is never evicted itself.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Vendor agents in their own namespaces
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
covers: [WL-063]
controls: [AIS-06]
*/
SELECT event_id, object || ' in ' || written.namespace || ' uses priority class ' || priority_class_name AS reason
FROM pods_workloads AS written
LEFT JOIN system_namespaces AS system ON written.namespace LIKE system.namespace
WHERE priority_class_name IN ('system-cluster-critical', 'system-node-critical') AND system.namespace IS NULL
