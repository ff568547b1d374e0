/*
id: system-namespace-by-person
title: Workload created by a person in a system namespace
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1610, T1036.005]
tactics: [Execution, Stealth]
description: >-
  A person or an unauthenticated client creates a workload in a platform namespace. It stays unnoticed among components,
  and many policies do not apply there.
blind_spots: Platform namespaces that are not in the table system_namespaces.
false_positives:
  - Administrators who install or repair add-ons by hand
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1036/005/
covers: [WL-030]
controls: [AIS-06]
*/
SELECT event_id, identity_kind || ' ' || coalesce(username, '') || ' creates ' || object || ' in ' || pods_workloads.namespace AS reason
FROM pods_workloads
JOIN system_namespaces AS system ON pods_workloads.namespace LIKE system.namespace
WHERE identity_kind IN ('human', 'anonymous') AND created AND subresource IS NULL
