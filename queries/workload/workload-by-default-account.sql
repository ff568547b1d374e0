/*
id: workload-by-default-account
title: Workload created by a default service account
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1610, T1078, T1528]
tactics: [Execution, Lateral Movement]
description: >-
  The service account "default" of a namespace writes a workload. Every pod without its own account runs as it, so it
  should have no rights. One of these pods, or a holder of its token, creates pods.
blind_spots: Other accounts of applications.
false_positives:
  - Workflow engines and runners installed without their own account
triage:
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
covers: [WL-073]
controls: [IAM-16, AIS-06]
*/
SELECT event_id, username || ' writes ' || object || coalesce(' in ' || namespace, '') || ' (' || outcome || ')' AS reason
FROM workloads
WHERE username LIKE 'system:serviceaccount:%:default' AND outcome IN ('allowed', 'dry_run')
