/*
id: binding-to-oneself
title: Self-granted powerful role
severity: high
routine: low
confidence: medium
risk: 50
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  An identity binds its own user, service account or group to a role with full control of the cluster, or to admin or
  edit in the whole cluster or in a platform namespace.
blind_spots: A second user controlled by the same person.
false_positives:
  - Administrators who set up a cluster
triage:
  - "SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time"
  - "SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
covers: [RB-001]
controls: [IAM-16]
*/
SELECT event_id, effective_username || ' grants itself: ' || what AS reason
FROM powerful_bindings
WHERE is_wide AND reach <> 'part' AND (
  (subject_kind = 'User' AND subject_name = effective_username)
  OR (subject_kind = 'ServiceAccount' AND subject_name = service_account_name AND subject_namespace = service_account_namespace)
  OR (subject_kind = 'Group' AND array_has(user_groups, subject_name) AND subject_name <> 'system:masters')
)
