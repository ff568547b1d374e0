/*
id: workload-denied
title: Workload write denied by authorization
severity: low
confidence: medium
risk: 10
attack: [T1610]
tactics: [Execution]
description: >-
  An identity without permission tries to write a workload: its role is wrong, or it probes the limits of a credential.
blind_spots: Allowed attempts.
false_positives:
  - Pipelines with wrong rights, and people in the wrong namespace
triage:
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [WL-076]
controls: [IAM-16]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' may not ' || verb || ' ' || object || coalesce(' in ' || namespace, '') AS reason
FROM workloads
WHERE outcome = 'denied_authz' AND identity_kind NOT IN ('controller', 'anonymous', 'node')
