/*
id: below-baseline
title: Pod Security baseline violation
severity: low
confidence: high
risk: 3
attack: [T1610]
tactics: [Execution]
description: >-
  A workload is written that fails checks of the baseline level of the Pod Security Standards. The reason lists the
  failed checks.
blind_spots: Writes whose body is not logged. The level is that of the latest version of the Pod Security Standards.
false_positives:
  - Platform agents
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
SELECT event_id, object || ' violates Pod Security baseline' || coalesce(': ' || array_to_string(pod_security_failed, ', '), '') AS reason
FROM pods_workloads
WHERE pod_security_level = 'privileged'
