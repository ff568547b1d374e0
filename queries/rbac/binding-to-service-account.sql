/*
id: binding-to-service-account
title: Binding to a service account
severity: info
confidence: low
risk: 3
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A binding names a service account. Everyone who runs a pod as this account or requests its token has the role.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Charts that include an operator
triage:
  - "SELECT time, username, verb, kind, namespace, name, outcome FROM bindings WHERE username = '<identity>' ORDER BY time"
  - "SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by, revoked_at FROM grants WHERE binding = '<name>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE effective_username = '<subject>' ORDER BY time"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/
covers: [RB-006]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' grants ' || coalesce(role_name, 'a role') || ' to service account ' || concat_ws('/', subject_namespace, subject_name) AS reason
FROM bindings
WHERE subject_kind = 'ServiceAccount' AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
