/*
id: binding-to-anonymous
title: Binding to anonymous users
severity: critical
routine: low
confidence: high
risk: 80
attack: [T1098.006, T1078.001]
tactics: [Privilege Escalation, Persistence]
description: >-
  A binding is written whose subject is the anonymous user or the group of unauthenticated users. Anybody who reaches
  the API server has the role.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - The public-info-viewer role that the API server itself binds
triage:
  - "SELECT time, username, verb, kind, namespace, name, outcome FROM bindings WHERE username = '<identity>' ORDER BY time"
  - "SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by, revoked_at FROM grants WHERE binding = '<name>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE effective_username = '<subject>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#hardening
covers: [RB-003]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' grants ' || coalesce(role_name, 'a role') || ' to ' || subject_name AS reason
FROM bindings
WHERE subject_name IN ('system:anonymous', 'system:unauthenticated') AND outcome = 'allowed' AND identity_kind <> 'controller'
  AND verb IN ('create', 'update', 'patch')
  -- Discovery is public by default.
  AND coalesce(role_name, '') NOT IN ('system:public-info-viewer', 'kubeadm:bootstrap-signer-clusterinfo')
