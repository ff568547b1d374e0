/*
id: rbac-changed
aliases:
  - binding-changed
  - binding-to-service-account
  - rbac-by-service-account
  - role-with-write-verbs
  - role-writes-workloads
title: Role or binding changed
severity: info
confidence: low
risk: 8
attack: [T1098.006, T1610]
tactics: [Privilege Escalation, Persistence]
description: >-
  A role or binding is created, changed or deleted. The severity is low where a service account does so: few
  applications need to change permissions. Other detections judge the rights.
false_positives:
  - Releases and charts that include their roles and an operator
  - GitOps controllers, operators and pipelines
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation
covers: [RB-005, RB-006, RB-016, RB-008, RB-013]
controls: [IAM-16]
*/
SELECT
  event_id,
  CASE WHEN identity_kind IN ('service_account', 'cloud_service_account') AND api_group <> 'management.cattle.io' THEN 'low' ELSE 'info' END AS severity,
  concat(username, ': ', verb, ' of ', resource, ' ' || name, ' in ' || namespace) AS reason
FROM events
WHERE activity = 'rbac' AND api_group IN ('rbac.authorization.k8s.io', 'authorization.openshift.io', 'management.cattle.io')
  AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND outcome = 'allowed' AND identity_kind <> 'controller'
