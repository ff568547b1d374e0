/*
id: daemon-set-created
title: DaemonSet created
aliases: [daemon-set-by-person, daemon-set-by-account]
severity: medium
routine: low
confidence: medium
risk: 20
attack: [T1610, T1543.005]
tactics: [Execution, Persistence]
description: >-
  An identity creates a DaemonSet. Its code runs on every node, including nodes that join later. Severity is medium for
  a person or an unauthenticated client and low for a service account.
blind_spots: Changes of an existing DaemonSet. DaemonSets that a deployment tool installs on behalf of a person are low.
false_positives:
  - Administrators who install agents by hand
  - Installers, GitOps controllers and operators
references:
  - https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
covers: [WL-049]
controls: [AIS-06]
*/
SELECT
  event_id,
  CASE WHEN identity_kind IN ('human', 'anonymous') THEN 'medium' ELSE 'low' END AS severity,
  CASE WHEN identity_kind IN ('human', 'anonymous') THEN '' ELSE 'service account ' END || coalesce(username, 'an unknown identity')
    || ' creates ' || object || ' in ' || coalesce(namespace, '') AS reason
FROM authored_workloads
WHERE kind = 'DaemonSet' AND subresource IS NULL AND created
  AND identity_kind IN ('human', 'anonymous', 'service_account', 'cloud_service_account')
