/*
id: pod-past-the-scheduler
title: Pod on a node not chosen by the scheduler
severity: medium
routine: low
confidence: medium
risk: 25
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  The body of a pod is not logged, but a node runs it without a binding. Its creator named the node, which bypasses the
  scheduler and all taints, such as those of the control plane.
blind_spots: >-
  Logs without the scheduler's bindings or without status writes of nodes. Generated names. node-placement covers writes
  with a logged body.
false_positives:
  - Node debugging with kubectl debug node
  - Gaps in the log between the creation of a pod and its binding
references:
  - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
covers: [WL-042]
controls: [AIS-06]
*/
WITH steps AS (
  SELECT
    cluster, namespace, name, time, event_id, username, identity_kind,
    subresource IS NULL AS is_creation,
    subresource = 'binding' AS is_binding,
    subresource = 'status' AND identity_kind = 'node' AS is_run,
    workload['body_source'] AS body_source
  FROM events
  WHERE activity IN ('workload', 'write') AND resource = 'pods' AND api_group IS NULL AND outcome = 'allowed' AND name IS NOT NULL
    AND ((verb = 'create' AND (subresource IS NULL OR subresource = 'binding')) OR (subresource = 'status' AND identity_kind = 'node'))
),
lives AS (
  SELECT *, sum(is_creation::INT) OVER (PARTITION BY cluster, namespace, name ORDER BY time) AS life FROM steps
),
ran AS (
  SELECT
    cluster, namespace, name, life,
    max(CASE WHEN is_creation THEN event_id END) AS event_id,
    max(CASE WHEN is_creation THEN username END) AS username,
    max(CASE WHEN is_creation THEN identity_kind END) AS creator,
    max(CASE WHEN is_creation THEN body_source END) AS body_source,
    max(CASE WHEN is_run THEN username END) AS node,
    bool_or(is_binding) AS was_bound
  FROM lives
  GROUP BY cluster, namespace, name, life
)
SELECT event_id, username || ' creates Pod ' || name || ' in ' || namespace || ', which ' || node || ' runs without a binding' AS reason
FROM ran
JOIN (SELECT DISTINCT cluster FROM steps WHERE is_binding AND identity_kind IN ('controller', 'system')) AS logged
  ON logged.cluster = ran.cluster
WHERE event_id IS NOT NULL AND node IS NOT NULL AND NOT was_bound
  AND body_source = 'none' AND creator IN ('human', 'anonymous', 'service_account')
