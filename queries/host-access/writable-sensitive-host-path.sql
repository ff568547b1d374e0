/*
id: writable-sensitive-host-path
title: Writable hostPath to node-executed files or logs
aliases: [static-pod-manifests, host-logs-writable]
severity: high
routine: low
confidence: medium
risk: 60
attack: [T1610, T1611, T1543.005]
tactics: [Execution, Privilege Escalation, Persistence]
description: >-
  A workload is written that can write to a path from which its node runs code or reads configuration: the root
  directory, programs and libraries, systemd units, cron jobs, udev rules, start scripts, plugins of the kubelet, the
  runtime and the network, devices, kernel settings, login keys, or static pods, which the kubelet runs without
  admission and again after every deletion. One file there gives root on the node. Symbolic links are resolved first, so
  /lib/systemd is /usr/lib/systemd. Severity is medium for the logs of the node (outside DaemonSets), whose links the
  kubelet follows to any file, and for a DaemonSet where only plugins, devices, the kernel or the runtime are affected.
  A DaemonSet is left to host-path where each image is from a repository of the table node_agents and its command is not
  a shell: an attacker would have to run the agent's own program from its publisher's repository.
blind_spots: hostPath volumes behind a PersistentVolume, and mounts of a subpath of the volume.
false_positives:
  - Installers of node software that are not in the exceptions
  - Jobs that upgrade a cluster
  - Log shippers that do not run as a DaemonSet
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
  - https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
  - https://kubehound.io/reference/attacks/CE_VAR_LOG_SYMLINK/
covers: [WL-008, WL-012, WL-010]
controls: [AIS-06]
*/
SELECT
  event_id, reason,
  CASE
    -- Agents that are not in the table node_agents also have such volumes, on all nodes.
    WHEN kind = 'DaemonSet' AND inside IN ('device', 'kernel', 'network plugin', 'kubelet plugins', 'container state') THEN 'medium'
    WHEN inside = 'logs' AND NOT executes THEN 'medium'
    ELSE 'high'
  END AS severity
FROM authored_host_paths
WHERE writable
  AND ((executes AND NOT is_node_agent) OR inside = 'static pods' OR (inside = 'logs' AND kind <> 'DaemonSet'))
