/*
id: node-agent-host-path
title: Node agent hostPath volume
severity: low
confidence: medium
risk: 10
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written that reads devices, kernel interfaces, logs or container runtime files of its node, as
  monitoring and logging agents do, or a DaemonSet of known node agents that may write to them.
blind_spots: >-
  Writes logged at Metadata level. hostPath volumes behind a PersistentVolume, and mounts of a subpath of the volume.
false_positives:
  - Monitoring and logging agents, network plugins and storage drivers
triage:
  - >-
    SELECT name, type, host_path_raw, host_path_type FROM volumes WHERE event_id = '<event_id>'
  - >-
    SELECT role, name, image, command, args, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
covers: [WL-007, WL-010]
controls: [AIS-06]
*/
SELECT event_id, reason
FROM pods_host_paths
WHERE inside IN ('device', 'kernel', 'network plugin', 'container state', 'kubelet plugins', 'logs')
  AND (NOT writable OR is_node_agent OR (kind = 'DaemonSet' AND NOT executes))
