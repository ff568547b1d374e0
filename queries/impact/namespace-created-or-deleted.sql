/*
id: namespace-created-or-deleted
title: Namespace created or deleted
severity: info
confidence: high
risk: 1
attack: [T1485]
tactics: [Impact]
description: A namespace is created or deleted. Its deletion removes everything in it.
blind_spots: The content of the namespace, which the namespace controller deletes.
false_positives:
  - Test and preview environments
triage:
  - SELECT time, verb, resource, namespace, name, outcome FROM events WHERE username = '<identity>' AND verb IN ('delete', 'deletecollection') ORDER BY time
  - SELECT time, username, verb, kind, name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
  - SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1485/
covers: [IM-003]
*/
SELECT
  event_id,
  CASE WHEN created THEN 'create' ELSE verb END || 's namespace ' || coalesce(name, '') AS reason
FROM events
WHERE (resource = 'namespaces' OR (api_group = 'project.openshift.io' AND resource IN ('projects', 'projectrequests')))
  AND subresource IS NULL AND (created OR verb = 'delete') AND outcome = 'allowed'
  AND identity_kind NOT IN ('controller', 'system')
