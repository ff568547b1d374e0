/*
id: pod-bound-by-account
title: Pod bound to a node by an account that is no scheduler
severity: low
confidence: medium
risk: 15
attack: [T1610]
tactics: [Execution]
description: A service account that is not named as a scheduler binds a pod to a node.
blind_spots: Accounts that somebody named as a scheduler.
false_positives:
  - Schedulers under other names
triage:
  - >-
    SELECT time, username, verb, subresource, outcome FROM events WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, username, object, service_account_name, node_name FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
covers: [WL-066]
controls: [AIS-06]
*/
SELECT event_id, coalesce(username, 'nobody') || ' binds pod ' || coalesce(name, '') || ' of ' || coalesce(namespace, '') || ' to a node' AS reason
FROM events
WHERE activity IN ('workload', 'write') AND verb = 'create' AND outcome = 'allowed' AND api_group IS NULL
  AND ((resource = 'pods' AND subresource = 'binding') OR resource = 'bindings')
  AND identity_kind = 'service_account' AND NOT contains(username, 'scheduler')
