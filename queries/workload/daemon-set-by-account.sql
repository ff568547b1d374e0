/*
id: daemon-set-by-account
title: DaemonSet created by a service account
severity: low
confidence: medium
risk: 5
attack: [T1610, T1543.005]
tactics: [Execution, Persistence]
description: A service account creates a DaemonSet. Its code runs on every node, including nodes that join later.
blind_spots: Changes of an existing DaemonSet.
false_positives:
  - Installers, GitOps controllers and operators
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
covers: [WL-049]
controls: [AIS-06]
*/
SELECT event_id, username || ' creates ' || object || ' in ' || coalesce(namespace, '') AS reason
FROM pods_workloads
WHERE kind = 'DaemonSet' AND subresource IS NULL AND created AND identity_kind IN ('service_account', 'cloud_service_account')
