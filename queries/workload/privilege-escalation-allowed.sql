/*
id: privilege-escalation-allowed
title: Privilege escalation allowed
severity: low
confidence: high
risk: 5
attack: [T1610, T1068]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with a container that says allowPrivilegeEscalation is true: its processes may gain more than
  they began with, by set-user-id programs. Unset means the same, but nobody decided it.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Charts that spell out the default
triage:
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, kind, namespace, name, client_ip, user_agent, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-016]
controls: [AIS-06]
*/
SELECT event_id, role || ' ' || coalesce(name, '') || ' of ' || object || ' allows privilege escalation' AS reason
FROM pods_containers
WHERE allow_privilege_escalation
