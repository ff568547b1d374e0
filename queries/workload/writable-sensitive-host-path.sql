/*
id: writable-sensitive-host-path
title: Writable hostPath to node-executed files
severity: high
routine: low
confidence: medium
risk: 50
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written that may write to a path from which its node runs code or reads configuration: the root
  directory, programs and libraries, systemd units, cron jobs, udev rules, start scripts, plugins of the kubelet, the
  runtime and the network, static pods, devices, kernel settings or login keys. One file there gives root on the node.
  Symbolic links are resolved first, so /lib/systemd is /usr/lib/systemd. A DaemonSet is medium where only plugins,
  devices, the kernel or the runtime are affected, and low (host-path) where each image is from a repository
  of the table node_agents and its command is not a shell: an attacker would have to run the agent's own program from
  its publisher's repository.
blind_spots: >-
  Writes logged at Metadata level. hostPath volumes behind a PersistentVolume, and mounts of a subpath of the volume.
false_positives:
  - Installers of node software that are not in the exceptions
triage:
  - >-
    SELECT name, type, host_path_raw, host_path_type FROM volumes WHERE event_id = '<event_id>'
  - >-
    SELECT role, name, image, command, args, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
covers: [WL-008]
controls: [AIS-06]
*/
SELECT
  event_id, reason,
  -- Agents that are not in the table also have such volumes, on all nodes.
  CASE
    WHEN kind = 'DaemonSet' AND inside IN ('device', 'kernel', 'network plugin', 'kubelet plugins', 'container state') THEN 'medium'
    ELSE 'high'
  END AS severity
FROM pods_host_paths
WHERE writable AND executes AND NOT is_node_agent
