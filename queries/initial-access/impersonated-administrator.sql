/*
id: impersonated-administrator
title: Impersonation of an administrator
severity: medium
confidence: high
risk: 40
attack: [T1134, T1548]
tactics: [Privilege Escalation]
description: >-
  An identity impersonates the group system:masters, which every authorizer allows, or a control plane account. An
  identity with this right is an administrator, whatever its own roles are. Permission checks and discovery do not
  count.
blind_spots: Custom groups equivalent to system:masters.
false_positives:
  - Administrators in a break-glass procedure
triage:
  - >-
    SELECT time, impersonated_username, impersonated_groups, verb, resource, namespace, name, outcome FROM events WHERE username = '<identity>' AND impersonated_username IS NOT NULL ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome FROM events WHERE activity = 'rbac' AND username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [WL-071, IA-007]
controls: [IAM-16]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' acts as ' || impersonated_username || ' of '
    || coalesce(array_to_string(impersonated_groups, ', '), 'no group') || ': ' || verb || ' ' || resource AS reason
FROM events
WHERE impersonated_username IS NOT NULL AND resource IS NOT NULL AND outcome = 'allowed'
  AND NOT coalesce(array_has_any(user_groups, make_array('system:masters', 'kubeadm:cluster-admins')), false)
  AND (coalesce(array_has_any(impersonated_groups, make_array('system:masters', 'kubeadm:cluster-admins', 'system:nodes')), false)
    OR impersonated_username LIKE 'system:serviceaccount:kube-system:%'
    OR impersonated_username IN ('system:admin', 'system:kube-controller-manager', 'system:kube-scheduler', 'system:apiserver'))
  -- Reviews are queries, although the API calls them creates.
  AND coalesce(api_group, '') NOT IN ('authorization.k8s.io', 'authentication.k8s.io')
