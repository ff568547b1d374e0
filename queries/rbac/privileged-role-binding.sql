/*
id: privileged-role-binding
title: Binding to another powerful role
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A binding is written to a role with which its subjects take over the cluster by a detour, or run a namespace: admin, edit, a
  role of the control plane, or one of the cluster's own that allows as much in effect. In a namespace of the platform
  any such role counts: who runs pods there has the cluster.
blind_spots: >-
  Writes that are logged at Metadata level show no rules, subjects or specs.
false_positives:
  - Teams that get admin or edit in their own namespace by automation
triage:
  - "SELECT time, username, verb, kind, namespace, name, outcome FROM bindings WHERE username = '<identity>' ORDER BY time"
  - "SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by, revoked_at FROM grants WHERE binding = '<name>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE effective_username = '<subject>' ORDER BY time"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
covers: [RB-002]
controls: [IAM-16]
*/
SELECT event_id, what AS reason
FROM powerful_bindings
-- What a namespace's own team gets is daily work; the whole cluster, or a way to it, is not.
WHERE (reach = 'escalation' AND (is_built_in OR is_wide) AND NOT (takes_cluster AND is_wide))
  OR (reach = 'namespace' AND is_wide)
  OR (reach = 'cluster' AND NOT is_built_in AND NOT is_wide AND subject_kind = 'Group')
  -- Every pod of a namespace.
  OR (subject_kind = 'Group' AND starts_with(subject_name, 'system:serviceaccounts:'))
