/*
id: unusual-volume-type
title: Network, deprecated or gitRepo volume
aliases: [git-repo-volume]
severity: low
confidence: high
risk: 50
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with a volume that the pod mounts directly from a network server, or with a deprecated type:
  flexVolume runs a program of the node. Severity is high for gitRepo, which the kubelet clones as root on the node,
  outside any container: hooks of the repository, or a directory that ends in .git, run code there (CVE-2024-10220).
  gitRepo is deprecated since Kubernetes 1.11 and disabled since 1.33.
false_positives:
  - Applications with their own storage on NFS, iSCSI or Ceph
  - Workloads from before 2018
triage:
  - >-
    SELECT name, type, source, git_directory FROM volumes WHERE event_id = '<event_id>'
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
  - https://kubernetes.io/docs/concepts/storage/volumes/
  - https://kubernetes.io/docs/concepts/storage/volumes/#gitrepo
covers: [WL-027]
controls: [AIS-06]
*/
SELECT
  event_id,
  CASE type WHEN 'gitRepo' THEN 'high' ELSE 'low' END AS severity,
  'volume ' || coalesce(name, '') || ' of ' || object || CASE type
    WHEN 'gitRepo' THEN ' is cloned on the node' || coalesce(' from ' || source, '') || coalesce(' into ' || git_directory, '')
    ELSE ' is of type ' || type
  END AS reason
FROM authored_volumes
WHERE type NOT IN ('configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret', 'hostPath')
