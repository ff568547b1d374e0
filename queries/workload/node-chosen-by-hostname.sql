/*
id: node-chosen-by-hostname
title: Workload pinned to a node by host name
severity: low
confidence: medium
risk: 5
attack: [T1610]
tactics: [Execution]
description: A workload is written with a selector or an affinity for a single node, by its host name.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Databases on local disks
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
*/
SELECT DISTINCT event_id, object || ' selects a node by its host name' AS reason
FROM pods_workloads
WHERE array_has(map_keys(node_selector), 'kubernetes.io/hostname')
UNION
SELECT event_id, object || ' selects node ' || array_to_string(term['values'], ' or ') AS reason
FROM (SELECT event_id, object, unnest(node_affinity) AS term FROM pods_workloads)
WHERE term['key'] IN ('kubernetes.io/hostname', 'metadata.name') AND term['operator'] = 'In'
