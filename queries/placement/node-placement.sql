/*
id: node-placement
title: Workload placed on a chosen or control plane node
aliases: [control-plane-placement, control-plane-toleration, node-chosen-by-hostname]
severity: medium
routine: low
confidence: high
risk: 30
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written that chooses its node. Medium: by name, which bypasses the scheduler and all taints, or by a
  selector or affinity for control plane nodes, which store the cluster keys. Low: it tolerates the control plane taint
  by its key or with all taints (other than a DaemonSet), or selects a single node by its host name.
blind_spots: Writes logged at Metadata level. Control plane nodes with custom labels.
false_positives:
  - Node debugging with kubectl debug node
  - etcd backups
  - Add-ons that must run while the cluster starts
  - Databases on local disks
references:
  - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
  - https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
covers: [WL-042, WL-043]
controls: [AIS-06]
parameters:
  labels:
    type: text_list
    default: [node-role.kubernetes.io/control-plane, node-role.kubernetes.io/master, node-role.kubernetes.io/controlplane, node-role.kubernetes.io/etcd]
    description: Node labels and taints of the control plane
*/
WITH affinity AS (
  SELECT event_id, object, term['key'] AS key, term['operator'] AS operator, term['values'] AS nodes
  FROM (SELECT event_id, object, unnest(node_affinity) AS term FROM authored_workloads)
),
tolerated AS (
  SELECT event_id, object, toleration['key'] AS key, toleration['operator'] AS operator, toleration['effect'] AS effect
  FROM (SELECT event_id, object, unnest(tolerations) AS toleration FROM authored_workloads WHERE kind <> 'DaemonSet')
)
SELECT event_id, object || ' names node ' || node_name AS reason, 'medium' AS severity
FROM authored_workloads
-- Later writes of a pod show the scheduler's choice. Only the creation (or an apply patch that creates) shows who chose.
WHERE node_name IS NOT NULL AND (created OR kind <> 'Pod')
UNION
SELECT event_id, object || ' selects control plane nodes' AS reason, 'medium' AS severity
FROM authored_workloads
WHERE array_has_any(map_keys(node_selector), $labels)
UNION
SELECT event_id, object || ' selects control plane nodes' AS reason, 'medium' AS severity
FROM affinity
-- NotIn and DoesNotExist keep a workload away from a node.
WHERE array_has($labels, key) AND operator IN ('In', 'Exists')
UNION
SELECT event_id, object || CASE WHEN key IS NULL THEN ' tolerates all taints' ELSE ' tolerates the taint ' || key END AS reason, 'low' AS severity
FROM tolerated
WHERE (array_has($labels, key) OR (nullif(key, '') IS NULL AND operator = 'Exists'))
  AND (effect IS NULL OR effect <> 'NoExecute')
UNION
SELECT event_id, object || ' selects a node by its host name' AS reason, 'low' AS severity
FROM authored_workloads
WHERE array_has(map_keys(node_selector), 'kubernetes.io/hostname')
UNION
SELECT event_id, object || ' selects node ' || array_to_string(nodes, ' or ') AS reason, 'low' AS severity
FROM affinity
WHERE key IN ('kubernetes.io/hostname', 'metadata.name') AND operator = 'In'
