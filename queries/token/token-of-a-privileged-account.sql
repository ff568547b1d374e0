/*
id: token-of-a-privileged-account
aliases: [controller-token-minted]
title: Token requested for a privileged or controller service account
severity: high
confidence: high
risk: 80
attack: [T1528, T1078]
tactics: [Credential Access, Privilege Escalation, Stealth]
description: >-
  An identity requests a token of a service account that holds a cluster-wide privileged role, or of an account with
  which a controller of the platform works (critical for those of the controller manager). Controllers are trusted:
  their actions are attributed to the owner of the object.
blind_spots: >-
  Roles whose bindings are neither in the log nor in the look-back and are not used in it. Custom roles equivalent to
  cluster-admin. Tokens signed with the key of the API server.
false_positives:
  - Administrators with a custom role who test an add-on
references:
  - https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#controller-roles
covers: [CA-009]
controls: [IAM-16]
*/
SELECT
  event_id,
  'high' AS severity,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' gets a token of service account ' || events.namespace || '/' || events.name || ', which holds ' || role AS reason
FROM events
JOIN privileged_accounts AS accounts
  ON events.cluster = accounts.cluster AND events.namespace = accounts.namespace AND events.name = accounts.name
WHERE activity = 'access' AND resource = 'serviceaccounts' AND subresource = 'token' AND verb = 'create' AND outcome = 'allowed' AND identity_kind NOT IN ('node', 'controller')
  AND NOT coalesce(array_has_any(user_groups, make_array('system:masters', 'kubeadm:cluster-admins')), false)
  AND username <> 'system:serviceaccount:' || events.namespace || ':' || events.name
UNION ALL
-- Controllers of the controller manager are critical; other platform programs that control objects are high.
SELECT
  event_id,
  CASE WHEN is_core THEN 'critical' ELSE 'high' END AS severity,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' gets a token of the controller account '
    || namespace || '/' || name AS reason
FROM (
  SELECT events.*, controller_accounts.account IS NOT NULL OR is_controller('system:serviceaccount:kube-system:' || events.name) AS is_core
  FROM events
  LEFT JOIN controller_accounts ON controller_accounts.account = events.name
  WHERE activity = 'access' AND resource = 'serviceaccounts' AND subresource = 'token' AND verb = 'create' AND outcome IN ('allowed', 'dry_run', 'unknown')
)
WHERE CASE
  -- The controller manager and, in clouds, the provider's own get these. An impersonating identity does not count as one.
  WHEN is_core THEN namespace = 'kube-system'
    AND NOT (identity_kind IN ('controller', 'system') AND impersonated_username IS NULL
      AND NOT starts_with(username, 'system:serviceaccount:') AND NOT starts_with(username, 'system:bootstrap:')
      AND username NOT IN ('system:kube-scheduler', 'system:kube-proxy'))
  ELSE namespace IN ('kube-system', 'openshift-infra', 'openshift-kube-controller-manager', 'openshift-controller-manager', 'openshift-cloud-controller-manager')
    AND regexp_like(name, '(^|-)(controllers?|controller-manager|operator|provisioner|garbage-collector|binder)(-|$)')
    -- Nodes get the tokens of their pods, and programs renew their own.
    AND identity_kind IN ('human', 'service_account', 'anonymous')
    AND NOT coalesce(service_account_namespace = 'openshift-controller-manager', false)
    AND (username IS DISTINCT FROM 'system:serviceaccount:' || namespace || ':' || name)
END
