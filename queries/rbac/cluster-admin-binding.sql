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
  A binding to cluster-admin is written, or a ClusterRoleBinding to a role that allows everything under another name, in
  any spelling, or that lets its holder gain everything (escalate, bind, impersonate), or any binding that names the
  group system:masters. Its subjects have full control of the cluster or of the binding's namespace. Rancher's global
  roles and role templates count as the roles they create.
blind_spots: Patches at Request level that only add a subject and do not name the role.
false_positives:
  - The bootstrap of a cluster, and installers that request full rights
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
covers: [RB-001]
controls: [IAM-16]
*/
SELECT
  event_id,
  verb || ' of ' || kind || ' ' || coalesce(name, '') || ' grants cluster-admin to ' || coalesce(subject_kind || ' ' || concat_ws('/', subject_namespace, subject_name), 'an unknown identity') AS reason
FROM bindings
-- A Role may also have that name, and grants only its own rules. Controllers aggregate roles, and the API server
-- creates its own bindings at start-up.
WHERE role_name = 'cluster-admin' AND coalesce(role_kind, '') <> 'Role' AND outcome = 'allowed'
  AND identity_kind <> 'controller'
UNION ALL
SELECT event_id, what AS reason
FROM powerful_bindings
WHERE takes_cluster AND is_wide AND role_name <> 'cluster-admin'
UNION ALL
-- Members bypass all authorizers, regardless of bindings. Only the API server has a reason to name this group.
SELECT
  event_id,
  verb || ' of ' || kind || ' ' || coalesce(name, '') || ' grants ' || coalesce(role_name, 'a role') || ' to system:masters' AS reason
FROM bindings
WHERE subject_kind = 'Group' AND subject_name = 'system:masters' AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch')
  AND identity_kind <> 'controller' AND role_name IS DISTINCT FROM 'cluster-admin'
