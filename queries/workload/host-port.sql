/*
id: host-port
title: Host port
severity: low
confidence: high
risk: 5
attack: [T1610, T1133]
tactics: [Execution, Persistence]
description: >-
  A workload is written that listens on a port of its node. Anybody who reaches the node reaches it, past Services and
  most network policies.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Ingress controllers and node agents
triage:
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, kind, namespace, name, client_ip, user_agent, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-023]
controls: [AIS-06]
*/
SELECT DISTINCT
  event_id,
  role || ' ' || coalesce(name, '') || ' of ' || object || ' listens on port ' || port['host_port']::TEXT || ' of its node' AS reason
FROM (SELECT event_id, role, name, object, unnest(ports) AS port FROM pods_containers)
WHERE port['host_port'] > 0
