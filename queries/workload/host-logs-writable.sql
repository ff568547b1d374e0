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
  A workload that is no DaemonSet is written with the log directory of its node as a writable volume. The kubelet
  serves those files and follows links in them, so a link reads any file of the node; and logs can be changed.
blind_spots: >-
  Writes that are logged at Metadata level. Host paths behind a PersistentVolume, and mounts that take only a part of
  the volume.
false_positives:
  - Log shippers that are deployed as something else than a DaemonSet
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
