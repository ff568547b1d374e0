/*
id: unmasked-proc
title: Unmasked /proc
severity: medium
routine: low
confidence: high
risk: 25
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with a container that sees all of /proc, including files that configure the kernel, without its
  own user namespace.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Image builders inside containers
triage:
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, kind, namespace, name, client_ip, user_agent, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-020]
controls: [AIS-06]
*/
SELECT event_id, container['role'] || ' ' || coalesce(container['name'], '') || ' of ' || object || ' sees /proc unmasked' AS reason
FROM (SELECT event_id, object, host_users, unnest(containers) AS container FROM pods_workloads)
WHERE container['proc_mount'] = 'Unmasked' AND (host_users IS DISTINCT FROM false)
