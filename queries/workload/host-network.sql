/*
id: host-network
title: Host network
severity: low
confidence: high
risk: 10
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written that uses the network of its node. It reaches the node's loopback address and the cloud metadata
  service, can capture its traffic, and is not subject to network policies.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Network plugins, ingress controllers, node-exporter and other agents that use the host network
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-004]
controls: [AIS-06]
*/
SELECT event_id, object || ' uses hostNetwork' AS reason
FROM pods_workloads
WHERE host_network
