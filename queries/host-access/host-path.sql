/*
id: host-path
title: hostPath volume
aliases: [node-agent-host-path]
severity: low
confidence: high
risk: 10
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with any path of its node as a volume. Its data outlives the pod and leaves its sandbox. This
  includes node agents that only read devices, kernel interfaces, logs or container runtime files, or that are known to
  write to them; sensitive-host-path, writable-sensitive-host-path and others report dangerous paths at higher
  severities.
blind_spots: hostPath volumes behind a PersistentVolume.
false_positives:
  - Node agents, storage drivers and databases on local disks
  - Monitoring and logging agents, network plugins and storage drivers
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
covers: [WL-006, WL-007, WL-010]
controls: [AIS-06]
*/
SELECT event_id, 'volume ' || coalesce(name, '') || ' of ' || object || ' mounts host path ' || host_path_raw AS reason
FROM authored_volumes
WHERE host_path IS NOT NULL
