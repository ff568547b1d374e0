/*
id: controller-service-account
title: Workload runs as a Kubernetes controller's service account
severity: high
confidence: high
risk: 60
attack: [T1610, T1078.001]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload in kube-system runs as the service account of a built-in controller. These accounts may create pods and
  tokens everywhere, or change roles; no pod needs them.
blind_spots: Writes logged at Metadata level.
false_positives:
  - None known
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#controller-roles
covers: [WL-044]
controls: [AIS-06, IAM-16]
*/
SELECT event_id, object || ' runs as service account ' || service_account_name AS reason
FROM authored_workloads
JOIN controller_accounts ON service_account_name = account
WHERE namespace = 'kube-system'
