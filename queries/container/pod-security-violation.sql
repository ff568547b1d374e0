/*
id: pod-security-violation
title: Pod Security baseline or restricted violation
aliases: [below-baseline, below-restricted]
severity: low
confidence: high
risk: 3
attack: [T1610]
tactics: [Execution]
description: >-
  A workload is written that fails checks of the baseline level of the Pod Security Standards (low), or is created and
  fails only checks of the restricted level (info). The reason lists the failed checks.
blind_spots: The level is that of the latest version of the Pod Security Standards.
false_positives:
  - Platform agents
  - Workloads that are not hardened
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-028]
controls: [AIS-06]
*/
SELECT
  event_id,
  CASE pod_security_level WHEN 'privileged' THEN 'low' ELSE 'info' END AS severity,
  object || ' violates Pod Security ' || CASE pod_security_level WHEN 'privileged' THEN 'baseline' ELSE 'restricted' END
    || coalesce(': ' || array_to_string(pod_security_failed, ', '), '') AS reason
FROM authored_workloads
WHERE pod_security_level = 'privileged' OR (pod_security_level = 'baseline' AND created)
