/*
id: control-plane-toleration
title: Control plane taint tolerated
severity: low
confidence: medium
risk: 10
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload other than a DaemonSet tolerates the control plane taint, by its key or with all taints. The scheduler may
  place it on a node with the cluster keys.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Add-ons that must run while the cluster starts
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
  - https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
covers: [WL-043]
controls: [AIS-06]
parameters:
  taints:
    type: text_list
    description: Taints of the control plane
    default: [node-role.kubernetes.io/control-plane, node-role.kubernetes.io/master, node-role.kubernetes.io/controlplane, node-role.kubernetes.io/etcd]
*/
SELECT DISTINCT
  event_id,
  object || CASE WHEN key IS NULL THEN ' tolerates all taints' ELSE ' tolerates the taint ' || key END AS reason
FROM (
  SELECT event_id, object, toleration['key'] AS key, toleration['operator'] AS operator, toleration['effect'] AS effect
  FROM (SELECT event_id, object, unnest(tolerations) AS toleration FROM pods_workloads WHERE kind <> 'DaemonSet')
)
WHERE (array_has($taints, key) OR (nullif(key, '') IS NULL AND operator = 'Exists'))
  AND (effect IS NULL OR effect <> 'NoExecute')
