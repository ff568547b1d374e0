/*
id: kernel-takeover-sysctl
title: Sysctl that executes code or disables kernel protection
severity: high
routine: low
confidence: high
risk: 50
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written that sets a kernel parameter which names a program that the kernel runs as root, or which
  disables a protection of the whole node.
blind_spots: Writes logged at Metadata level. The same parameter written from inside a privileged container.
false_positives:
  - None known
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
  - https://kubehound.io/reference/attacks/CE_UMH_CORE_PATTERN/
covers: [WL-022]
controls: [AIS-06]
*/
SELECT event_id, object || ' sets ' || sysctl['name'] || coalesce(' to ' || sysctl['value'], '') AS reason
FROM (SELECT event_id, object, unnest(sysctls) AS sysctl FROM pods_workloads)
JOIN takeover_sysctls ON replace(sysctl['name'], '/', '.') = takeover_sysctls.name
