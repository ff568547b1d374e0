/*
id: host-logs-writable
title: Writable node logs
severity: medium
routine: low
confidence: medium
risk: 25
attack: [T1611]
tactics: [Privilege Escalation]
description: >-
  A workload other than a DaemonSet is written with the log directory of its node as a writable volume. The kubelet
  serves those files and follows symbolic links, so a link reads any file of the node. Logs can also be changed.
blind_spots: >-
  Writes logged at Metadata level. hostPath volumes behind a PersistentVolume, and mounts of a subpath of the volume.
false_positives:
  - Log shippers that do not run as a DaemonSet
triage:
  - >-
    SELECT name, type, host_path_raw, host_path_type FROM volumes WHERE event_id = '<event_id>'
  - >-
    SELECT role, name, image, command, args, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
  - https://kubehound.io/reference/attacks/CE_VAR_LOG_SYMLINK/
covers: [WL-010]
controls: [AIS-06]
*/
SELECT event_id, reason
FROM pods_host_paths
WHERE inside = 'logs' AND writable AND kind <> 'DaemonSet'
