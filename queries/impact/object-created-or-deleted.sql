/*
id: object-created-or-deleted
title: Namespace, service, ConfigMap, role or binding created or deleted
aliases: [namespace-created-or-deleted]
severity: info
confidence: high
risk: 0
attack: [T1565, T1098, T1485]
tactics: [Impact, Persistence]
description: >-
  A person creates or deletes a service, a ConfigMap, a role or a binding, or any identity a namespace, whose deletion
  removes everything in it. This is an activity stream to read, not an alert.
blind_spots: >-
  Activity of automation other than on namespaces. The content of a namespace, which the namespace controller deletes.
false_positives:
  - Engineers at work
  - Test and preview environments
references:
  - https://falco.org/docs/
  - https://attack.mitre.org/techniques/T1485/
covers: [IM-004, IM-003]
*/
SELECT
  event_id,
  CASE WHEN created THEN 'create' ELSE verb END || 's ' || resource || ' ' || coalesce(name, '') || coalesce(' in ' || namespace, '') AS reason
FROM events
WHERE subresource IS NULL AND (created OR verb = 'delete') AND outcome = 'allowed'
  AND (
    (resource IN (
        'services', 'configmaps', 'serviceaccounts', 'roles', 'rolebindings', 'clusterroles', 'clusterrolebindings', 'ingresses',
        'networkpolicies'
      ) AND identity_kind = 'human')
    OR ((resource = 'namespaces' OR (api_group = 'project.openshift.io' AND resource IN ('projects', 'projectrequests')))
      AND identity_kind NOT IN ('controller', 'system'))
  )
