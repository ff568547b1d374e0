/*
id: binding-to-everybody
aliases: [binding-to-anonymous]
title: Binding to anonymous users, all users or all service accounts
severity: high
routine: low
confidence: medium
risk: 80
attack: [T1098.006, T1078.001]
tactics: [Privilege Escalation, Persistence]
description: >-
  A binding is written for the anonymous user or unauthenticated clients (critical), for all authenticated users or all
  service accounts, or, for a powerful role in the whole cluster or in a foreign namespace, for all accounts of a
  namespace, all nodes or all bootstrap tokens. Anyone who can reach the API server, or every pod's token, then has the
  role.
false_positives:
  - Roles that only allow discovery or self-review
  - The public-info-viewer role that the API server itself binds
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#hardening
covers: [RB-003]
controls: [IAM-16]
*/
SELECT
  event_id,
  CASE WHEN subject_name IN ('system:anonymous', 'system:unauthenticated') THEN 'critical' ELSE 'high' END AS severity,
  kind || ' ' || coalesce(name, '') || ' grants ' || coalesce(role_name, 'a role') || ' to ' || subject_name AS reason
FROM bindings
WHERE outcome = 'allowed' AND identity_kind <> 'controller' AND verb IN ('create', 'update', 'patch')
  AND CASE
    -- Discovery is public by default.
    WHEN subject_name IN ('system:anonymous', 'system:unauthenticated')
      THEN coalesce(role_name, '') NOT IN ('system:public-info-viewer', 'kubeadm:bootstrap-signer-clusterinfo')
    WHEN subject_name IN ('system:authenticated', 'system:serviceaccounts')
      THEN coalesce(role_name, '') NOT IN ('system:basic-user', 'system:discovery', 'system:public-info-viewer', 'system:service-account-issuer-discovery', 'view')
  END
UNION ALL
SELECT event_id, 'high' AS severity, what AS reason
FROM powerful_bindings
WHERE subject_kind = 'Group' AND starts_with(subject_name, 'system:')
  AND subject_name NOT IN ('system:masters', 'system:authenticated', 'system:serviceaccounts', 'system:unauthenticated')
  AND (is_wide OR namespace IS DISTINCT FROM split_part(subject_name, ':', 3))
