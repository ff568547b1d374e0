/*
id: default-account-privileged
title: Powerful role bound to a default service account
severity: high
routine: low
confidence: high
risk: 50
attack: [T1098.006, T1078.001]
tactics: [Privilege Escalation, Persistence]
description: >-
  A binding gives cluster-admin, admin or edit to the default service account of a namespace. Every pod there without
  its own service account has the role.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Demonstrations and quick starts
triage:
  - "SELECT time, username, verb, kind, namespace, name, outcome FROM bindings WHERE username = '<identity>' ORDER BY time"
  - "SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by, revoked_at FROM grants WHERE binding = '<name>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE effective_username = '<subject>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [RB-004]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' grants ' || role_name || ' to the default service account of ' || coalesce(subject_namespace, 'a namespace') AS reason
FROM bindings
WHERE subject_kind = 'ServiceAccount' AND subject_name = 'default' AND identity_kind <> 'controller' AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch')
  AND role_name IN ('cluster-admin', 'admin', 'edit') AND coalesce(role_kind, '') <> 'Role'
