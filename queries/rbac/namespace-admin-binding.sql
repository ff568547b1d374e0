/*
id: namespace-admin-binding
title: Binding to admin or edit in a namespace
severity: low
confidence: low
risk: 10
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A RoleBinding to admin or edit is written. Its subjects can run any workload in the namespace and read its secrets.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Teams that get admin or edit in their own namespace
triage:
  - "SELECT time, username, verb, kind, namespace, name, outcome FROM bindings WHERE username = '<identity>' ORDER BY time"
  - "SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by, revoked_at FROM grants WHERE binding = '<name>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE effective_username = '<subject>' ORDER BY time"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
covers: [RB-002]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' grants ' || role_name || ' in ' || namespace || ' to ' || coalesce(subject_kind || ' ' || concat_ws('/', subject_namespace, subject_name), 'an unknown identity') AS reason
FROM bindings
WHERE kind = 'RoleBinding' AND role_name IN ('admin', 'edit') AND coalesce(role_kind, '') <> 'Role'
  AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
