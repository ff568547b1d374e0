/*
id: shared-process-namespace
title: Process namespace shared between containers
severity: low
confidence: high
risk: 5
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written whose containers see each other's processes, environment and files. An injected container can
  read the secrets of the others.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Sidecars that signal or debug the main container
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-026]
controls: [AIS-06]
*/
SELECT event_id, object || ' shares the process namespace between its containers' AS reason
FROM pods_workloads
WHERE share_process_namespace
