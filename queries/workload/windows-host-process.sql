/*
id: windows-host-process
title: Windows HostProcess container
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with a Windows container that runs as a process of the host, with its file system and its
  accounts.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Network and storage plugins for Windows nodes
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
  - https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/
covers: [WL-024]
controls: [AIS-06]
*/
SELECT DISTINCT event_id, object || ' runs as a HostProcess container on Windows' AS reason
FROM (SELECT event_id, object, host_process, unnest(containers) AS container FROM pods_workloads)
WHERE coalesce(container['host_process'], host_process)
