/*
id: object-created-or-deleted
title: Service, ConfigMap, role or binding created or deleted by a person
severity: info
confidence: high
risk: 0
attack: [T1565, T1098]
tactics: [Impact, Persistence]
description: >-
  A person creates or deletes a service, a ConfigMap, a role or a binding. This is an activity stream to read, not an
  alert.
blind_spots: Activity of automation.
false_positives:
  - Engineers at work
triage:
  - SELECT time, verb, resource, namespace, name, outcome FROM events WHERE username = '<identity>' AND verb IN ('delete', 'deletecollection') ORDER BY time
  - SELECT time, username, verb, kind, name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
  - SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://falco.org/docs/
covers: [IM-004]
*/
SELECT
  event_id,
  CASE WHEN created THEN 'create' ELSE verb END || 's ' || resource || ' ' || coalesce(name, '') || coalesce(' in ' || namespace, '') AS reason
FROM events
WHERE resource IN (
    'services', 'configmaps', 'serviceaccounts', 'roles', 'rolebindings', 'clusterroles', 'clusterrolebindings', 'ingresses',
    'networkpolicies'
  )
  AND subresource IS NULL AND (created OR verb = 'delete') AND outcome = 'allowed' AND identity_kind = 'human'
