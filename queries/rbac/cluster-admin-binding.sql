/*
id: cluster-admin-binding
title: Binding to cluster-admin
severity: high
routine: low
confidence: medium
risk: 60
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A role binding or cluster role binding to cluster-admin is written, or a cluster role binding to a role that allows
  everything under another name, however its rules spell it, or with which its holder gives itself everything (escalate,
  bind, impersonate), or any binding names the group system:masters: its subjects can do anything, in the cluster or in
  the binding's namespace. Rancher's global roles and role templates count as what they become.
blind_spots: >-
  Writes that are logged at Metadata level show no rules, subjects or specs. Patches at Request level that only add
  a subject do not name the role.
false_positives:
  - The bootstrap of a cluster, and installers that ask for everything
triage:
  - "SELECT time, username, verb, kind, namespace, name, outcome FROM bindings WHERE username = '<identity>' ORDER BY time"
  - "SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by, revoked_at FROM grants WHERE binding = '<name>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE effective_username = '<subject>' ORDER BY time"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
covers: [RB-001]
controls: [IAM-16]
*/
SELECT
  event_id,
  verb || ' of ' || kind || ' ' || coalesce(name, '') || ' grants cluster-admin to ' || coalesce(subject_kind || ' ' || concat_ws('/', subject_namespace, subject_name), 'an unknown identity') AS reason
FROM bindings
-- A Role may have that name too, and grants what it says. Controllers aggregate, and the API server makes its own bindings when it starts.
WHERE role_name = 'cluster-admin' AND coalesce(role_kind, '') <> 'Role' AND outcome = 'allowed'
  AND identity_kind <> 'controller'
UNION ALL
SELECT event_id, what AS reason
FROM powerful_bindings
WHERE takes_cluster AND is_wide AND role_name <> 'cluster-admin'
UNION ALL
-- Whoever is in it passes every authorizer, whatever its bindings say; only the API server has a reason to name it.
SELECT
  event_id,
  verb || ' of ' || kind || ' ' || coalesce(name, '') || ' grants ' || coalesce(role_name, 'a role') || ' to system:masters' AS reason
FROM bindings
WHERE subject_kind = 'Group' AND subject_name = 'system:masters' AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch')
  AND identity_kind <> 'controller' AND role_name IS DISTINCT FROM 'cluster-admin'
