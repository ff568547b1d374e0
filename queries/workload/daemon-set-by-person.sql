/*
id: daemon-set-by-person
title: DaemonSet created by a person
severity: medium
routine: low
confidence: medium
risk: 20
attack: [T1610, T1543.005]
tactics: [Execution, Persistence]
description: >-
  A person or an unauthenticated client creates a DaemonSet. Its code runs on every node, including nodes that join
  later.
blind_spots: DaemonSets that a deployment tool installs on behalf of a person.
false_positives:
  - Administrators who install agents by hand
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
SELECT event_id, coalesce(username, 'an unknown identity') || ' creates ' || object || ' in ' || coalesce(namespace, '') AS reason
FROM pods_workloads
WHERE kind = 'DaemonSet' AND subresource IS NULL AND created AND identity_kind IN ('human', 'anonymous')
