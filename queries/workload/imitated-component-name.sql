/*
id: imitated-component-name
title: Workload name that imitates a system component
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1610, T1036.005]
tactics: [Execution, Stealth]
description: >-
  A workload is created that bears the name of a component of the platform: outside of the platform's namespaces, or
  in one as a pod that nothing owns. Who lists pods takes it for the component.
blind_spots: Names that are only similar. Where the body is not logged, owners are not visible.
false_positives:
  - Components that are installed in a namespace of their own
  - Pods of the platform that an administrator restores by hand
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1036/005/
covers: [WL-032]
controls: [AIS-06]
*/
SELECT DISTINCT event_id, object || ' in ' || made.namespace || ' bears the name of ' || component AS reason
FROM (
  SELECT *, coalesce(name, generate_name) AS written
  FROM pods_workloads
  WHERE created AND subresource IS NULL AND identity_kind <> 'controller' AND owner IS NULL
) AS made
JOIN system_components ON written = component OR starts_with(written, component || '-')
LEFT JOIN system_namespaces AS system ON made.namespace LIKE system.namespace
WHERE CASE
  WHEN system.namespace IS NULL THEN scope = 'anywhere' AND NOT starts_with(made.namespace, component)
  ELSE kind = 'Pod'
END
