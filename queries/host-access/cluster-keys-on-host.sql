/*
id: cluster-keys-on-host
title: Cluster keys or kubelet state mounted
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1611, T1552.001, T1552.004]
tactics: [Privilege Escalation, Credential Access]
description: >-
  A workload is written with a hostPath volume in the directories where a node stores the cluster keys, the etcd data,
  or the kubelet's certificate and the tokens of its pods. Reading them is enough to assume other identities.
blind_spots: hostPath volumes behind a PersistentVolume, and mounts of a subpath of the volume.
false_positives:
  - Storage drivers that mount the kubelet's state
  - etcd backups on control plane nodes
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
  - https://kubernetes.io/docs/setup/best-practices/certificates/
covers: [WL-011]
controls: [AIS-06]
*/
SELECT event_id, reason
FROM authored_host_paths
WHERE inside IN ('cluster credentials', 'cluster state', 'kubelet state')
