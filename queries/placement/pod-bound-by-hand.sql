/*
id: pod-bound-by-hand
title: Pod bound to a node by a person or an unusual account
aliases: [pod-bound-by-account]
severity: medium
routine: low
confidence: high
risk: 35
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A person or a node binds a pod to a node, as the scheduler does, which bypasses the scheduler's rules and the taints
  of nodes, such as those of the control plane. Severity is low for a service account that rarely binds pods: a
  scheduler binds many, and its name proves nothing. To avoid detection, an attacker must bind as many pods as a
  scheduler.
blind_spots: The node, where the body is not logged. Scheduler accounts.
false_positives:
  - Scheduler tests
  - Schedulers with other names
triage:
  - >-
    SELECT time, username, verb, subresource, outcome FROM events WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
covers: [WL-066, WL-042]
controls: [AIS-06]
parameters:
  routine_bindings:
    type: integer
    default: 20
    description: Number of bindings that make an account a scheduler
*/
WITH bindings_made AS (
  SELECT *, count(*) OVER (PARTITION BY cluster, username) AS bindings_of_identity
  FROM all_events
  WHERE activity IN ('workload', 'write') AND verb = 'create' AND outcome = 'allowed' AND api_group IS NULL
    AND ((resource = 'pods' AND subresource = 'binding') OR resource = 'bindings')
)
SELECT
  event_id,
  CASE WHEN identity_kind IN ('human', 'anonymous', 'node') THEN 'medium' ELSE 'low' END AS severity,
  coalesce(username, 'an unknown identity') || ' binds pod ' || coalesce(name, '') || ' of ' || coalesce(namespace, '') || ' to a node' AS reason
FROM bindings_made
WHERE in_scope
  AND (identity_kind IN ('human', 'anonymous', 'node')
    -- A scheduler binds many pods of others that name it. A name proves nothing.
    OR (identity_kind IN ('service_account', 'cloud_service_account') AND bindings_of_identity < $routine_bindings))
