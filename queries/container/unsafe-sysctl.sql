/*
id: unsafe-sysctl
title: Unsafe sysctl
aliases: [kernel-takeover-sysctl]
severity: low
routine: low
confidence: high
risk: 50
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written that sets a kernel parameter outside the safe list. It may affect other pods of the node; the
  kubelet rejects most of these parameters. Severity is high for a parameter that names a program that the kernel runs
  as root, or that disables a protection of the whole node.
blind_spots: The same parameter written from inside a privileged container.
false_positives:
  - Network and database tuning
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
  - https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
  - https://kubehound.io/reference/attacks/CE_UMH_CORE_PATTERN/
covers: [WL-022]
controls: [AIS-06]
*/
SELECT
  event_id,
  object || CASE
    WHEN takeover_sysctls.name IS NOT NULL THEN ' sets ' || sysctl['name'] || coalesce(' to ' || sysctl['value'], '')
    ELSE ' sets unsafe sysctl ' || sysctl['name']
  END AS reason,
  CASE WHEN takeover_sysctls.name IS NOT NULL THEN 'high' ELSE 'low' END AS severity
FROM (SELECT event_id, object, unnest(sysctls) AS sysctl FROM authored_workloads)
LEFT JOIN takeover_sysctls ON replace(sysctl['name'], '/', '.') = takeover_sysctls.name
LEFT JOIN safe_sysctls ON replace(sysctl['name'], '/', '.') = safe_sysctls.name
WHERE safe_sysctls.name IS NULL
