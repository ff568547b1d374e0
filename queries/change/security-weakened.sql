/*
id: security-weakened
title: Security of a running workload weakened
aliases: [hardening-removed]
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1610, T1611, T1685]
tactics: [Execution, Privilege Escalation, Defense Impairment]
description: >-
  An identity changes an existing workload so that it fails checks that it passed before: it becomes privileged, uses
  host process or IPC namespaces, mounts hostPath volumes, gains dangerous capabilities, or loses seccomp (medium); or
  it loses hardening such as not running as root, or uses the host network or a host port (low).
false_positives:
  - Upgrades of agents and plugins
  - Chart upgrades, and sidecars that are not hardened
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-060]
controls: [AIS-06]
*/
SELECT
  event_id,
  CASE
    WHEN field IN ('allowPrivilegeEscalation', 'runAsNonRoot', 'runAsUser', 'readOnlyRootFilesystem', 'seccompProfile_restricted', 'capabilities_restricted', 'restrictedVolumes', 'procMount_restricted', 'hostPorts', 'hostPort', 'hostNetwork', 'shareProcessNamespace', 'automountServiceAccountToken', 'hostUsers') THEN 'low'
    ELSE 'medium'
  END AS severity,
  coalesce(username, 'an unknown identity') || ' weakens ' || object || coalesce(', container ' || container, '') || ': ' || field
    || ' from ' || coalesce(before, 'unset') || ' to ' || coalesce(after, 'unset') AS reason
FROM workload_changes
WHERE change = 'security weakened'
