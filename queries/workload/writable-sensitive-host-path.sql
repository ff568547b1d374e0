/*
id: writable-sensitive-host-path
title: Files by which a node runs code writable
severity: high
routine: low
confidence: medium
risk: 50
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written that may write to the root of its node or to a directory of its configuration, programs, start
  scripts, cron jobs or keys for login: one file there runs code as root on the node. Paths below those directories
  that are named in full, such as one file of /etc, do not count.
blind_spots: >-
  Writes that are logged at Metadata level. Host paths behind a PersistentVolume, and mounts that take only a part of
  the volume.
false_positives:
  - Installers of node software that are not on the list of exceptions
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
SELECT event_id, reason
FROM pods_host_paths
LEFT JOIN sensitive_paths AS sensitive ON host_path = sensitive.path
WHERE writable AND (array_has_any(holds, make_array('system', 'home')) OR sensitive.kind IN ('system', 'home'))
  AND host_path <> '/home'
