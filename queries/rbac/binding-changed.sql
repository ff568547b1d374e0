/*
id: binding-changed
title: Role binding written or deleted
severity: info
confidence: low
risk: 3
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: A RoleBinding or ClusterRoleBinding is created, changed or deleted.
blind_spots: None known.
false_positives:
  - Releases that include their own roles
triage:
  - "SELECT time, username, verb, kind, namespace, name, outcome FROM bindings WHERE username = '<identity>' ORDER BY time"
  - "SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by, revoked_at FROM grants WHERE binding = '<name>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE effective_username = '<subject>' ORDER BY time"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/
covers: [RB-005]
controls: [IAM-16]
*/
SELECT event_id, verb || ' of ' || resource || ' ' || coalesce(name, '') || coalesce(' in ' || namespace, '') AS reason
FROM events
WHERE activity = 'rbac' AND resource IN ('rolebindings', 'clusterrolebindings')
  AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
  AND outcome = 'allowed' AND identity_kind <> 'controller'
