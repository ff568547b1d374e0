/*
id: rbac-by-service-account
title: Role or binding written by a service account
severity: low
confidence: low
risk: 8
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A service account writes roles or bindings. Pods rarely need to, and a stolen token with this right is valuable.
blind_spots: None known.
false_positives:
  - Operators, GitOps controllers and pipelines
triage:
  - "SELECT time, username, verb, kind, namespace, name, outcome FROM bindings WHERE username = '<identity>' ORDER BY time"
  - "SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by, revoked_at FROM grants WHERE binding = '<name>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE effective_username = '<subject>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [RB-016]
controls: [IAM-16]
*/
SELECT event_id, username || ' ' || verb || 's ' || resource || ' ' || coalesce(name, '') AS reason
FROM events
WHERE activity = 'rbac' AND api_group IN ('rbac.authorization.k8s.io', 'authorization.openshift.io') AND identity_kind IN ('service_account', 'cloud_service_account')
  AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND outcome = 'allowed'
