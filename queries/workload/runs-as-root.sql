/*
id: runs-as-root
title: Container runs as root
severity: low
confidence: high
risk: 5
attack: [T1610]
tactics: [Execution]
description: >-
  A workload is written that runs as root: user 0, or runAsNonRoot set to false, at the container or, where the
  container does not set it, at the pod.
blind_spots: Writes logged at Metadata level. Images whose default user is root.
false_positives:
  - Older images, and software that changes its user itself
triage:
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, kind, namespace, name, client_ip, user_agent, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-017]
controls: [AIS-06]
*/
SELECT
  event_id,
  container['role'] || ' ' || coalesce(container['name'], '') || ' of ' || object
    || CASE WHEN user_id = 0 THEN ' runs as user 0' ELSE ' may run as root' END AS reason
FROM (
  SELECT
    event_id, object, container,
    coalesce(container['run_as_user'], run_as_user) AS user_id,
    coalesce(container['run_as_non_root'], run_as_non_root) AS non_root
  FROM (SELECT event_id, object, run_as_user, run_as_non_root, unnest(containers) AS container FROM pods_workloads)
)
WHERE user_id = 0 OR (user_id IS NULL AND NOT non_root)
