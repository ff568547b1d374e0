/*
id: controller-token-minted
title: Token requested for a Kubernetes controller
severity: critical
confidence: high
risk: 80
attack: [T1528, T1078]
tactics: [Credential Access, Privilege Escalation, Stealth]
description: >-
  An identity outside the control plane gets a token of an account under which the controller manager runs its
  controllers. No person or program needs one: with it, an attacker creates pods, changes roles and deletes objects in
  the name of the control plane. Other accounts of platform namespaces with the name of a controller are high. A dry run
  counts, because the API server still issues the token.
blind_spots: Tokens signed with the key of the API server.
false_positives:
  - None known
triage:
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent FROM events WHERE username = 'system:serviceaccount:kube-system:<account>' AND activity <> 'read' ORDER BY time
  - SELECT time, username, verb, resource, namespace, name, outcome FROM events WHERE client_ip = '<address>' ORDER BY time
  - SELECT * FROM identities WHERE username = '<identity>'
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#controller-roles
  - https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
covers: [CA-009]
controls: [IAM-16]
*/
SELECT
  event_id,
  'critical' AS severity,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' gets a token of the controller account kube-system/'
    || events.name AS reason
FROM events
LEFT JOIN controller_accounts ON controller_accounts.account = events.name
WHERE activity = 'access' AND resource = 'serviceaccounts' AND subresource = 'token' AND verb = 'create'
  AND events.namespace = 'kube-system' AND outcome IN ('allowed', 'dry_run', 'unknown')
  AND (controller_accounts.account IS NOT NULL OR is_controller('system:serviceaccount:kube-system:' || events.name))
  -- The controller manager and, in clouds, the provider's own. An impersonating identity does not count as one.
  AND NOT (identity_kind IN ('controller', 'system') AND impersonated_username IS NULL
    AND NOT starts_with(username, 'system:serviceaccount:') AND NOT starts_with(username, 'system:bootstrap:')
    AND username NOT IN ('system:kube-scheduler', 'system:kube-proxy'))
UNION ALL
-- A platform program that controls objects but is not part of the controller manager.
SELECT
  event_id,
  'high' AS severity,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' gets a token of the controller account '
    || events.namespace || '/' || events.name AS reason
FROM events
LEFT JOIN controller_accounts ON controller_accounts.account = events.name
WHERE activity = 'access' AND resource = 'serviceaccounts' AND subresource = 'token' AND verb = 'create'
  AND events.namespace IN ('kube-system', 'openshift-infra', 'openshift-kube-controller-manager', 'openshift-controller-manager', 'openshift-cloud-controller-manager')
  AND outcome IN ('allowed', 'dry_run', 'unknown')
  AND controller_accounts.account IS NULL AND NOT is_controller('system:serviceaccount:kube-system:' || events.name)
  AND regexp_like(events.name, '(^|-)(controllers?|controller-manager|operator|provisioner|garbage-collector|binder)(-|$)')
  -- Nodes get the tokens of their pods, and programs renew their own.
  AND identity_kind IN ('human', 'service_account', 'anonymous')
  AND NOT coalesce(service_account_namespace = 'openshift-controller-manager', false)
  AND (username IS DISTINCT FROM 'system:serviceaccount:' || events.namespace || ':' || events.name)
