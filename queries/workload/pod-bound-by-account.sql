/*
id: pod-bound-by-account
title: Pod bound to a node by an unusual account
severity: low
confidence: medium
risk: 15
attack: [T1610]
tactics: [Execution]
description: >-
  A service account that rarely binds pods binds one to a node. A scheduler binds many, and its name proves nothing. To
  avoid detection, an attacker must bind as many pods as a scheduler.
blind_spots: Scheduler accounts.
false_positives:
  - Schedulers with other names
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
parameters:
  routine_bindings:
    type: integer
    default: 20
    description: Number of bindings that make an account a scheduler
*/
WITH bindings_made AS (
  SELECT event_id, time, cluster, username, identity_kind, namespace, name, true AS in_scope
  FROM events
  WHERE activity IN ('workload', 'write') AND verb = 'create' AND outcome = 'allowed' AND api_group IS NULL
    AND ((resource = 'pods' AND subresource = 'binding') OR resource = 'bindings') AND identity_kind IN ('service_account', 'cloud_service_account')
  UNION ALL
  SELECT event_id, time, cluster, username, identity_kind, namespace, name, false AS in_scope
  FROM events_history
  WHERE activity IN ('workload', 'write') AND verb = 'create' AND outcome = 'allowed' AND api_group IS NULL
    AND ((resource = 'pods' AND subresource = 'binding') OR resource = 'bindings') AND identity_kind IN ('service_account', 'cloud_service_account')
),
-- A scheduler binds many pods of others that name it. A name proves nothing.
schedulers AS (
  SELECT cluster, username FROM bindings_made GROUP BY cluster, username HAVING count(*) >= $routine_bindings
)
SELECT event_id, coalesce(bound.username, 'an unknown identity') || ' binds pod ' || coalesce(name, '') || ' of ' || coalesce(namespace, '') || ' to a node' AS reason
FROM bindings_made AS bound
LEFT JOIN schedulers ON schedulers.cluster = bound.cluster AND schedulers.username = bound.username
WHERE in_scope AND schedulers.cluster IS NULL
