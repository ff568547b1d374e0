/*
id: impersonation
aliases:
  - privileged-impersonation
  - impersonated-administrator
  - impersonated-secret-read
  - impersonated-write
  - impersonation-denied
title: Impersonation of another identity
severity: medium
confidence: medium
risk: 40
attack: [T1134, T1078, T1548, T1552.007]
tactics: [Privilege Escalation, Credential Access, Stealth]
description: >-
  An identity reads secrets or writes as another user, or impersonates system:masters, a component of the control plane,
  an account of kube-system or an administrator. The log names both identities, and the rights are those of the
  impersonated one: an identity that may impersonate an administrator has administrator rights, regardless of its own
  roles. Denied attempts are low.
blind_spots: >-
  Impersonation by proxies that present their own certificate. Custom groups equivalent to system:masters. Tokens
  requested for the other account: see token-request.
false_positives:
  - Management planes and gateways that authenticate people and impersonate them (Rancher, Teleport, Azure Arc)
  - Administrators in a break-glass procedure
  - Scripts with --as that run under the wrong account
triage:
  - >-
    SELECT time, impersonated_username, impersonated_groups, verb, resource, namespace, name, outcome FROM events WHERE username = '<identity>' AND impersonated_username IS NOT NULL ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://attack.mitre.org/techniques/T1552/007/
covers: [RB-018, WL-071, IA-007, CA-002]
controls: [IAM-16, DSP-15]
*/
WITH acts AS (
  SELECT
    *,
    impersonated_username IN (
      'kubernetes-admin', 'kubernetes-super-admin', 'admin', 'cluster-admin', 'system:admin', 'system:kube-controller-manager',
      'system:kube-scheduler', 'system:apiserver')
      OR coalesce(array_has_any(impersonated_groups, make_array('system:masters', 'kubeadm:cluster-admins', 'system:nodes')), false)
      OR starts_with(impersonated_username, 'system:') AND NOT starts_with(impersonated_username, 'system:serviceaccount:')
      OR starts_with(impersonated_username, 'system:serviceaccount:kube-system:') AS is_powerful,
    coalesce(array_has_any(user_groups, make_array('system:masters', 'kubeadm:cluster-admins')), false) AS is_administrator,
    -- Reviews are queries, although the API calls them creates.
    verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
      AND coalesce(api_group, '') NOT IN ('authorization.k8s.io', 'authentication.k8s.io') AS writes
  FROM events
  WHERE impersonated_username IS NOT NULL
)
SELECT
  event_id,
  'medium' AS severity,
  concat(
    coalesce(username, 'an unknown identity'), ' acts as ', impersonated_username, ' of ' || array_to_string(impersonated_groups, ', '), ' to ', verb, ' ',
    coalesce(concat_ws('/', resource, subresource), request_uri), ' ' || name, ' in ' || namespace) AS reason
FROM acts
WHERE outcome = 'allowed' AND (writes OR activity = 'secret' AND resource = 'secrets' AND verb IN ('get', 'list', 'watch'))
  OR is_powerful AND outcome NOT IN ('denied_authn', 'denied_authz') AND identity_kind NOT IN ('controller', 'system')
  OR is_powerful AND outcome = 'allowed' AND resource IS NOT NULL AND NOT is_administrator
UNION ALL
SELECT
  event_id,
  'low' AS severity,
  coalesce(username, 'an unknown identity') || ' is not allowed to impersonate '
    || coalesce(impersonated_username, substr(status_message, 1, 120), 'an unknown user') AS reason
FROM events
WHERE outcome = 'denied_authz' AND identity_kind <> 'controller'
  AND (status_message LIKE '%cannot impersonate resource%' OR status_message LIKE '%cannot impersonate-%')
