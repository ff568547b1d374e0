/*
id: pod-security-audit
title: Pod Security violation recorded in audit mode
severity: info
confidence: high
risk: 0
attack: [T1610]
tactics: [Execution]
description: >-
  Pod Security admission allowed a workload and recorded that it violates the audit level of its namespace, or that an
  exemption applied.
blind_spots: Namespaces without an audit level.
false_positives:
  - Namespaces that deliberately audit a stricter level
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-admission/
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-029]
controls: [AIS-06]
*/
SELECT event_id, coalesce(annotations['pod-security.kubernetes.io/audit-violations'], 'Pod Security exemption by ' || annotations['pod-security.kubernetes.io/exempt']) AS reason
FROM events
WHERE activity = 'workload' AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node')
  AND (annotations['pod-security.kubernetes.io/audit-violations'] IS NOT NULL OR annotations['pod-security.kubernetes.io/exempt'] IS NOT NULL)
