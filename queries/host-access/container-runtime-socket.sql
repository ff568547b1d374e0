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
  A workload is written that mounts the socket of the node's container runtime, or its directory. Anybody with access to
  the socket can start a privileged container that the API server never sees. A read-only mount does not prevent this.
blind_spots: hostPath volumes behind a PersistentVolume.
false_positives:
  - Image builders in CI
  - Monitoring and security agents that list containers
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
covers: [WL-009]
controls: [AIS-06]
*/
SELECT DISTINCT
  event_id,
  'volume ' || coalesce(name, '') || ' of ' || object || ' mounts host path ' || host_path_raw || ', with the socket of ' || runtime AS reason
FROM authored_volumes
JOIN runtime_sockets ON host_path = path OR starts_with(path, host_path || '/')
