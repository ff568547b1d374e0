/*
id: control-plane-placement
title: Workload placed on a chosen or control plane node
severity: medium
routine: low
confidence: high
risk: 30
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written that chooses its node: by name, which bypasses the scheduler and all taints, or by a selector or
  affinity for control plane nodes, which store the cluster keys.
blind_spots: Writes logged at Metadata level. Control plane nodes with custom labels.
false_positives:
  - Node debugging with kubectl debug node
  - etcd backups
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
covers: [WL-042]
controls: [AIS-06]
parameters:
  labels:
    type: text_list
    description: Node labels of the control plane
    default: [node-role.kubernetes.io/control-plane, node-role.kubernetes.io/master, node-role.kubernetes.io/controlplane, node-role.kubernetes.io/etcd]
*/
WITH attracted AS (
  SELECT DISTINCT event_id AS attracted
  FROM (SELECT event_id, unnest(node_affinity) AS term FROM pods_workloads)
  -- NotIn and DoesNotExist keep a workload away from a node.
  WHERE array_has($labels, term['key']) AND term['operator'] IN ('In', 'Exists')
)
SELECT
  event_id,
  object || ' ' || concat_ws(', ',
    CASE WHEN by_name THEN 'names node ' || node_name END,
    CASE WHEN by_selector THEN 'selects control plane nodes' END
  ) AS reason
FROM (
  SELECT
    *,
    -- Later writes of a pod show the scheduler's choice. Only the creation (or an apply patch that creates) shows who
    -- chose.
    node_name IS NOT NULL AND (created OR kind <> 'Pod') AS by_name,
    coalesce(array_has_any(map_keys(node_selector), $labels), false) OR attracted IS NOT NULL AS by_selector
  FROM pods_workloads
  LEFT JOIN attracted ON event_id = attracted
)
WHERE by_name OR by_selector
