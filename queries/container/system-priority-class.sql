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
false_positives:
  - Vendor agents in their own namespaces
references:
  - https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
covers: [WL-063]
controls: [AIS-06]
*/
SELECT event_id, object || ' in ' || written.namespace || ' uses priority class ' || priority_class_name AS reason
FROM authored_workloads AS written
LEFT JOIN system_namespaces AS system ON written.namespace LIKE system.namespace
WHERE priority_class_name IN ('system-cluster-critical', 'system-node-critical') AND system.namespace IS NULL
