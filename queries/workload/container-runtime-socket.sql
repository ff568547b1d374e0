/*
id: container-runtime-socket
title: Container runtime socket mounted
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with the socket of the node's container runtime, or the directory it lies in, as a volume.
  Through the socket anybody starts a privileged container that the API server never sees; mounting it read-only
  changes nothing.
blind_spots: Writes that are logged at Metadata level. Host paths behind a PersistentVolume.
false_positives:
  - Image builders in continuous integration
  - Monitoring and security agents that list containers
triage:
  - >-
    SELECT name, type, host_path_raw, host_path_type FROM volumes WHERE event_id = '<event_id>'
  - >-
    SELECT role, name, image, command, args, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
covers: [WL-009]
controls: [AIS-06]
*/
SELECT DISTINCT
  event_id,
  'volume ' || coalesce(name, '') || ' of ' || object || ' is host path ' || host_path_raw || ', with the socket of ' || runtime AS reason
FROM volumes
JOIN runtime_sockets ON host_path = path OR starts_with(path, host_path || '/')
WHERE outcome = 'allowed' AND NOT made_by_controller AND (identity_kind IS DISTINCT FROM 'node')
