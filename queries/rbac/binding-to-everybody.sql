/*
id: binding-to-everybody
title: Binding to all users or all service accounts
severity: high
routine: low
confidence: medium
risk: 50
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A binding is written for all authenticated users or all service accounts, or, for a powerful role in the whole cluster
  or in a foreign namespace, for all accounts of a namespace, all nodes or all bootstrap tokens. Every pod's token then
  has the role.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Roles that only allow discovery or self-review
triage:
  - "SELECT time, username, verb, kind, namespace, name, outcome FROM bindings WHERE username = '<identity>' ORDER BY time"
  - "SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by, revoked_at FROM grants WHERE binding = '<name>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE effective_username = '<subject>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [RB-003]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' grants ' || coalesce(role_name, 'a role') || ' to ' || subject_name AS reason
FROM bindings
WHERE subject_name IN ('system:authenticated', 'system:serviceaccounts') AND outcome = 'allowed' AND identity_kind <> 'controller'
  AND verb IN ('create', 'update', 'patch')
  AND coalesce(role_name, '') NOT IN
    ('system:basic-user', 'system:discovery', 'system:public-info-viewer', 'system:service-account-issuer-discovery', 'view')
UNION ALL
SELECT event_id, what AS reason
FROM powerful_bindings
WHERE subject_kind = 'Group' AND starts_with(subject_name, 'system:')
  AND subject_name NOT IN ('system:masters', 'system:authenticated', 'system:serviceaccounts', 'system:unauthenticated')
  AND (is_wide OR namespace IS DISTINCT FROM split_part(subject_name, ':', 3))
