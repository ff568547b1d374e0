/*
id: system-namespace-by-foreign-account
title: Workload in a system namespace by a foreign account
severity: low
confidence: medium
risk: 15
attack: [T1610, T1036.005]
tactics: [Execution, Stealth]
description: A service account from outside the platform namespaces creates a workload in a platform namespace.
blind_spots: Platform namespaces that are not in the table system_namespaces.
false_positives:
  - CI and GitOps controllers that install add-ons
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
SELECT event_id, username || ' creates ' || object || ' in ' || made.namespace AS reason
FROM (
  SELECT *, split_part(username, ':', 3) AS home
  FROM pods_workloads
  WHERE identity_kind IN ('service_account', 'cloud_service_account') AND created AND subresource IS NULL
) AS made
JOIN system_namespaces AS system ON made.namespace LIKE system.namespace
LEFT JOIN system_namespaces AS own ON home LIKE own.namespace
WHERE own.namespace IS NULL
