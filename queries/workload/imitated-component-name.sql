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
  A workload is created with the name of a platform component: outside the platform namespaces, or in one as a pod
  without an owner. It looks like the component in a list of pods.
blind_spots: Names that are only similar. Owners, where the body is not logged.
false_positives:
  - Components installed in their own namespace
  - Platform pods that an administrator restores by hand
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
SELECT DISTINCT event_id, object || ' in ' || made.namespace || ' has the name of ' || component AS reason
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
