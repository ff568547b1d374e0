/*
id: pod-bound-by-hand
title: Pod bound to a node by hand
severity: medium
routine: low
confidence: high
risk: 35
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A person binds a pod to a node, as the scheduler does. This bypasses the scheduler's rules and the taints of nodes,
  such as those of the control plane.
blind_spots: The node, where the body is not logged.
false_positives:
  - Scheduler tests
triage:
  - >-
    SELECT time, username, verb, subresource, outcome FROM events WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, username, object, service_account_name, node_name FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
covers: [WL-066, WL-042]
controls: [AIS-06]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' binds pod ' || coalesce(name, '') || ' of ' || coalesce(namespace, '') || ' to a node' AS reason
FROM events
WHERE activity IN ('workload', 'write') AND verb = 'create' AND outcome = 'allowed' AND api_group IS NULL
  AND ((resource = 'pods' AND subresource = 'binding') OR resource = 'bindings')
  AND identity_kind IN ('human', 'anonymous', 'node')
