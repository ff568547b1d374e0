/*
id: static-pod-manifests
title: Static pod manifest directory mounted
severity: high
routine: low
confidence: high
risk: 60
attack: [T1610, T1611, T1543.005]
tactics: [Execution, Privilege Escalation, Persistence]
description: >-
  A workload is written with the static pod directory as a writable hostPath volume. The kubelet runs every manifest in
  it: without admission, on that node, and again after every deletion.
blind_spots: >-
  Writes logged at Metadata level. hostPath volumes behind a PersistentVolume, and mounts of a subpath of the volume.
false_positives:
  - Jobs that upgrade a cluster
triage:
  - >-
    SELECT name, type, host_path_raw, host_path_type FROM volumes WHERE event_id = '<event_id>'
  - >-
    SELECT role, name, image, command, args, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
  - https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
covers: [WL-012]
controls: [AIS-06]
*/
SELECT event_id, reason
FROM pods_host_paths
WHERE inside = 'static pods' AND writable
