/*
id: control-plane-placement
title: Workload placed on a chosen or control plane node
severity: medium
attack: [T1610, T1611]
description: >-
  A workload is written that picks its node: by name, past the scheduler, or by a selector or affinity for the control
  plane, whose nodes hold the cluster's keys. A toleration of the control plane's taint lets it run there.
blind_spots: >-
  Writes that are logged at Metadata level, and control plane nodes that carry labels of their own.
false_positives:
  - Agents that belong on every node tolerate every taint; as DaemonSets they do not match by that alone
  - Node debugging with kubectl debug node
references:
  - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
parameters:
  labels:
    type: text_list
    description: Node labels and taints of the control plane
    default: [node-role.kubernetes.io/control-plane, node-role.kubernetes.io/master]
*/
WITH attracted AS (
  SELECT DISTINCT event_id AS attracted
  FROM (SELECT event_id, unnest(node_affinity) AS term FROM workloads)
  -- NotIn and DoesNotExist keep a workload away.
  WHERE array_has($labels, term['key']) AND term['operator'] IN ('In', 'Exists')
),
tolerant AS (
  SELECT DISTINCT event_id AS tolerant
  FROM (SELECT event_id, unnest(tolerations) AS toleration FROM workloads)
  WHERE array_has($labels, toleration['key'])
)
SELECT
  event_id,
  object || ' ' || concat_ws(', ',
    CASE WHEN by_name THEN 'names node ' || node_name END,
    CASE WHEN by_selector THEN 'selects control plane nodes' END,
    CASE WHEN by_toleration THEN 'tolerates the control plane taint' END
  ) AS reason
FROM (
  SELECT
    *,
    -- The scheduler's choice shows in later writes of a pod: only what makes it (a patch too, by apply) tells who chose.
    node_name IS NOT NULL AND (verb = 'create' OR status_code = 201 OR kind <> 'Pod') AS by_name,
    coalesce(array_has_any(map_keys(node_selector), $labels), false) OR attracted IS NOT NULL AS by_selector,
    tolerant IS NOT NULL AND kind <> 'DaemonSet' AS by_toleration
  FROM workloads
  LEFT JOIN attracted ON event_id = attracted
  LEFT JOIN tolerant ON event_id = tolerant
)
WHERE (by_name OR by_selector OR by_toleration) AND outcome = 'allowed' AND NOT made_by_controller
