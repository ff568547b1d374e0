/*
id: host-path
title: hostPath volume
severity: low
confidence: high
risk: 5
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with any path of its node as a volume. Its data outlives the pod and leaves its sandbox.
blind_spots: Writes logged at Metadata level. hostPath volumes behind a PersistentVolume.
false_positives:
  - Node agents, storage drivers and databases on local disks
triage:
  - >-
    SELECT name, type, host_path_raw, host_path_type FROM volumes WHERE event_id = '<event_id>'
  - >-
    SELECT role, name, image, command, args, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
covers: [WL-006]
controls: [AIS-06]
*/
SELECT event_id, 'volume ' || coalesce(name, '') || ' of ' || object || ' mounts host path ' || host_path_raw AS reason
FROM volumes
WHERE host_path IS NOT NULL
  AND outcome = 'allowed' AND NOT made_by_controller AND (identity_kind IS DISTINCT FROM 'node')
