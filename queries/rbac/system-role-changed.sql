/*
id: system-role-changed
title: System role changed
severity: medium
routine: low
confidence: medium
risk: 35
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  An identity other than the API server changes or deletes a role whose name begins with system: or eks:, or one of the
  default user roles. Such roles belong to the control plane and have many holders.
false_positives:
  - Upgrades by add-on managers
triage:
  - >-
    SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
covers: [RB-015]
controls: [IAM-16]
*/
SELECT event_id, verb || ' of ' || resource || ' ' || name AS reason
FROM events
WHERE activity = 'rbac' AND resource IN ('roles', 'clusterroles') AND verb IN ('update', 'patch', 'delete')
  AND (starts_with(name, 'system:') OR starts_with(name, 'eks:')
    OR (resource = 'clusterroles' AND name IN ('cluster-admin', 'admin', 'edit', 'view'))) AND outcome = 'allowed'
  AND coalesce(username, '') <> 'system:apiserver' AND identity_kind <> 'controller'
