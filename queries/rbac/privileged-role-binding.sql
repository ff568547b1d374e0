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
  A binding is written to a built-in role with which its subjects take over the cluster by a detour, or run a
  namespace: admin, edit, or a role of the control plane.
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
SELECT
  event_id,
  kind || ' ' || coalesce(bindings.name, '') || ' grants ' || role || ' (' || why || ') to ' || coalesce(subject_kind || ' ' || concat_ws('/', subject_namespace, subject_name), 'somebody') AS reason
FROM bindings
JOIN privileged_roles ON role_name = role
WHERE reach <> 'cluster' AND coalesce(role_kind, '') <> 'Role' AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
  -- What a namespace's own team gets is daily work; the whole cluster, or a way to it, is not.
  AND (kind = 'ClusterRoleBinding' OR reach = 'escalation')
