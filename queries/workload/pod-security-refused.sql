/*
id: pod-security-refused
title: Workload denied by Pod Security
severity: low
confidence: high
risk: 10
attack: [T1610]
tactics: [Execution]
description: >-
  An identity tries to write a workload that violates the enforced Pod Security level of its namespace, and is denied.
  The reason lists the checks.
blind_spots: Denials by other admission plugins. Old API servers, which do not log the message.
false_positives:
  - Developers whose manifests are not hardened yet
triage:
  - >-
    SELECT time, verb, kind, namespace, name, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT role, name, image, command, privileged, capabilities_add FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, namespace, outcome FROM events WHERE resource = 'namespaces' AND name = '<namespace>' AND verb <> 'get' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-admission/
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-029]
controls: [AIS-06]
*/
SELECT event_id, coalesce(status_message, response_object) AS reason
FROM events
WHERE activity = 'workload' AND outcome = 'denied_admission' AND identity_kind NOT IN ('controller', 'node')
  AND contains(coalesce(status_message, response_object), 'violates PodSecurity')
