/*
id: privileged-service-account
title: Workload runs as a powerful service account
aliases: [privileged-service-account-by-account]
severity: medium
routine: low
confidence: high
risk: 35
attack: [T1610, T1078]
tactics: [Execution, Privilege Escalation]
description: >-
  An identity writes a workload that runs as a service account with cluster administrator rights, or with a way to them.
  The token is in the pod, so code in the pod has these rights. Severity is medium for a person and low for a service
  account.
blind_spots: Writes logged at Metadata level. Roles bound before the log begins, and bindings in a single namespace.
false_positives:
  - Administrators who install operators by hand
  - GitOps controllers and operator installers
triage:
  - >-
    SELECT binding, role_kind, role_name, namespace, granted_by, granted_at FROM grants WHERE subject_kind = 'ServiceAccount' AND subject_name = '<account>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = 'system:serviceaccount:<namespace>:<account>' AND activity <> 'read' ORDER BY time
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [WL-045]
controls: [AIS-06, IAM-16]
*/
SELECT
  event_id, reason || CASE WHEN identity_kind IN ('human', 'anonymous') THEN '' ELSE ', written by a service account' END AS reason,
  CASE WHEN identity_kind IN ('human', 'anonymous') THEN 'medium' ELSE 'low' END AS severity
FROM workloads_of_powerful_accounts
WHERE identity_kind IN ('human', 'anonymous', 'service_account', 'cloud_service_account')
