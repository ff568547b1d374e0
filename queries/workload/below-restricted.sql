/*
id: below-restricted
title: Pod Security restricted violation
severity: info
confidence: high
risk: 0
attack: [T1610]
tactics: [Execution]
description: >-
  A workload is created that passes the baseline level of the Pod Security Standards and fails checks of the restricted
  level.
blind_spots: Writes whose body is not logged. The level is that of the latest version of the Pod Security Standards.
false_positives:
  - Workloads that are not hardened
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-028]
controls: [AIS-06]
*/
SELECT event_id, object || ' violates Pod Security restricted' || coalesce(': ' || array_to_string(pod_security_failed, ', '), '') AS reason
FROM pods_workloads
WHERE pod_security_level = 'baseline' AND created
