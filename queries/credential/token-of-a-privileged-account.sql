/*
id: token-of-a-privileged-account
title: Token requested for a privileged service account
severity: high
confidence: high
risk: 60
attack: [T1528, T1078]
tactics: [Credential Access, Privilege Escalation]
description: >-
  An identity outside system:masters gets a token of a service account with a cluster-wide role such as cluster-admin.
  The holder becomes an administrator under another name.
blind_spots: >-
  Roles whose bindings are neither in the log nor in the look-back and are not used in it. Custom roles equivalent to
  cluster-admin.
false_positives:
  - Administrators with a custom role who test an add-on
triage:
  - >-
    SELECT time, username, namespace, name, outcome, client_ip FROM events WHERE resource = 'serviceaccounts' AND subresource = 'token' AND identity_kind NOT IN ('node', 'controller') ORDER BY time
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [CA-009]
controls: [IAM-16]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' gets a token of service account ' || events.namespace || '/' || events.name || ', which holds ' || role AS reason
FROM events
JOIN privileged_accounts AS accounts
  ON events.cluster = accounts.cluster AND events.namespace = accounts.namespace AND events.name = accounts.name
WHERE activity = 'access' AND resource = 'serviceaccounts' AND subresource = 'token' AND verb = 'create' AND outcome = 'allowed' AND identity_kind NOT IN ('node', 'controller')
  AND NOT coalesce(array_has_any(user_groups, make_array('system:masters', 'kubeadm:cluster-admins')), false)
  AND username <> 'system:serviceaccount:' || events.namespace || ':' || events.name
