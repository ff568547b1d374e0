/*
id: capability-added
title: Linux capability added
aliases: [dangerous-capabilities, all-capabilities, unusual-capability]
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with a container that adds a Linux capability outside the Pod Security baseline. Severity is
  medium for ALL, which is nearly equivalent to a privileged container, and for capabilities that allow the container to
  leave its sandbox, read other processes, load kernel code or take over the node's network. It is low for others, such
  as NET_RAW, SYS_TIME or SYS_NICE.
false_positives:
  - Network plugins, eBPF agents, load balancers and VPN gateways
  - Older charts of storage and network software
  - Software that sends pings or sets clocks or priorities
references:
  - https://man7.org/linux/man-pages/man7/capabilities.7.html
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-013, WL-014, WL-015]
controls: [AIS-06]
*/
SELECT
  event_id,
  role || ' ' || coalesce(name, '') || ' of ' || object || ' adds ' || string_agg(added, ', ' ORDER BY added) AS reason,
  CASE WHEN bool_or(added = 'ALL' OR coalesce(danger = 'dangerous', false)) THEN 'medium' ELSE 'low' END AS severity
FROM (SELECT event_id, role, name, object, unnest(capabilities_add) AS added FROM authored_containers)
LEFT JOIN capabilities ON added = capability
-- The table lists the capabilities of the Pod Security baseline too.
WHERE coalesce(danger, 'unusual') IN ('dangerous', 'unusual')
GROUP BY event_id, role, name, object
