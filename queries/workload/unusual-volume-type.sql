/*
id: unusual-volume-type
title: Network or deprecated volume type
severity: low
confidence: high
risk: 5
attack: [T1610]
tactics: [Execution]
description: >-
  A workload is written with a volume that the pod takes directly from a network server, or with a deprecated type:
  gitRepo runs git as root on the node, flexVolume a program of the node.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Applications with their own storage on NFS, iSCSI or Ceph
triage:
  - >-
    SELECT name, type, host_path_raw, host_path_type FROM volumes WHERE event_id = '<event_id>'
  - >-
    SELECT role, name, image, command, args, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
  - https://kubernetes.io/docs/concepts/storage/volumes/
covers: [WL-027]
controls: [AIS-06]
*/
SELECT event_id, 'volume ' || coalesce(name, '') || ' of ' || object || ' is of type ' || type AS reason
FROM volumes
WHERE type NOT IN ('configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret', 'hostPath')
  AND outcome = 'allowed' AND NOT made_by_controller AND (identity_kind IS DISTINCT FROM 'node')
