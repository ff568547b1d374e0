/*
id: security-weakened
title: Security of a running workload weakened
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  An identity changes an existing workload so that it fails checks that it passed before: it becomes privileged, uses
  host process or IPC namespaces, mounts hostPath volumes, gains dangerous capabilities, or loses seccomp.
blind_spots: Writes logged at Metadata level. Changes to a version that is not in the log.
false_positives:
  - Upgrades of agents and plugins
triage:
  - >-
    SELECT change, container, field, before, after FROM changes WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, change, container, before, after FROM changes WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-060]
controls: [AIS-06]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' weakens ' || object || coalesce(', container ' || container, '') || ': ' || field
    || ' from ' || coalesce(before, 'unset') || ' to ' || coalesce(after, 'unset') AS reason
FROM changes
WHERE change = 'security weakened' AND NOT made_by_controller AND outcome = 'allowed'
  AND field NOT IN ('allowPrivilegeEscalation', 'runAsNonRoot', 'runAsUser', 'readOnlyRootFilesystem', 'seccompProfile_restricted', 'capabilities_restricted', 'restrictedVolumes', 'procMount_restricted', 'hostPorts', 'hostPort', 'hostNetwork', 'shareProcessNamespace', 'automountServiceAccountToken', 'hostUsers')
