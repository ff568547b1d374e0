/*
id: git-repo-volume
title: gitRepo volume that executes code on the node
severity: high
routine: medium
confidence: high
risk: 50
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with a gitRepo volume: the kubelet clones the repository as root on the node, outside any
  container. Its hooks, or a directory that ends in .git, run code there (CVE-2024-10220). The type is deprecated since
  Kubernetes 1.11 and disabled since 1.33.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Workloads from before 2018
triage:
  - >-
    SELECT name, type, source, git_directory FROM volumes WHERE event_id = '<event_id>'
  - >-
    SELECT role, name, image, command, args, volume_mounts FROM containers WHERE event_id = '<event_id>'
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#gitrepo
covers: [WL-027]
controls: [AIS-06]
*/
SELECT
  event_id,
  'volume ' || coalesce(name, '') || ' of ' || object || ' is cloned on the node'
    || coalesce(' from ' || source, '') || coalesce(' into ' || git_directory, '') AS reason
FROM volumes
WHERE type = 'gitRepo' AND outcome = 'allowed' AND NOT made_by_controller AND (identity_kind IS DISTINCT FROM 'node')
