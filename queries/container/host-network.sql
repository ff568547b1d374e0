/*
id: host-network
title: Host network or host port
aliases: [host-port]
severity: low
confidence: high
risk: 10
attack: [T1610, T1611, T1133]
tactics: [Execution, Privilege Escalation, Persistence]
description: >-
  A workload is written that uses the network of its node, or listens on a port of it. On the host network, it reaches
  the node's loopback address and the cloud metadata service, can capture its traffic, and is not subject to network
  policies. Anyone who can reach the node can reach a host port, bypassing Services and most network policies.
false_positives:
  - Network plugins, ingress controllers, node-exporter and other agents that use the host network
  - Ingress controllers and node agents
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-004, WL-023]
controls: [AIS-06]
*/
SELECT event_id, object || ' uses hostNetwork' AS reason
FROM authored_workloads
WHERE host_network
UNION
SELECT event_id, role || ' ' || coalesce(name, '') || ' of ' || object || ' listens on port ' || port['host_port']::TEXT || ' of its node' AS reason
FROM (SELECT event_id, role, name, object, unnest(ports) AS port FROM authored_containers)
WHERE port['host_port'] > 0
