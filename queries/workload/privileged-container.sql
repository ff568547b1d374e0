/*
id: privileged-container
title: Privileged container
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with a privileged container. It has all capabilities and all devices of the node, so code in it
  controls the node. All kinds that create pods count, including init and ephemeral containers.
blind_spots: Writes logged at Metadata level. Patches that do not change an existing privileged container.
false_positives:
  - Network and storage plugins, kube-proxy, node agents and security sensors, mostly as DaemonSets in system namespaces
  - Image builders in CI (docker-in-docker)
triage:
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, kind, namespace, name, client_ip, user_agent, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-001]
controls: [AIS-06]
*/
SELECT event_id, role || ' ' || coalesce(name, '') || ' of ' || object || ' is privileged' AS reason
FROM pods_containers
WHERE privileged
