/*
id: dangerous-role
aliases:
  - role-grants-escalation
  - role-controls-credentials
  - role-grants-node-proxy
  - role-uses-privileged-scc
  - role-grants-exec
  - role-reads-secrets
  - broad-role
title: Role with dangerous rights
severity: medium
routine: low
confidence: medium
risk: 35
attack: [T1098.006, T1134, T1528, T1611, T1609, T1552.007]
tactics: [Privilege Escalation, Persistence]
description: >-
  A role is written whose holder can gain more rights: through escalate, bind or impersonate, tokens of service
  accounts, approval of certificates, control of admission, the kubelet API, or privileged SecurityContextConstraints of
  OpenShift. A role that execs into pods, reads secrets, or has a wildcard, which also grants verbs and resources added
  later, is low.
blind_spots: SecurityContextConstraints with other names, which other detections judge when they are written.
false_positives:
  - GitOps controllers, operators and platform tools that manage roles for others
  - Secret managers, certificate operators and policy engines
  - Older monitoring systems, which scrape the kubelet through the API server
  - Operators with wildcards for their own API group
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#access-to-proxy-subresource-of-nodes
  - >-
    https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/authentication_and_authorization/managing-pod-security-policies
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#listing-secrets
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
covers: [RB-011, RB-013, RB-010, RB-009, RB-012, RB-007]
controls: [IAM-16, DSP-15]
*/
WITH granted AS (
  SELECT
    *,
    CASE
      WHEN array_has_any(verbs, make_array('escalate', 'bind')) AND array_has_any(resources, make_array('roles', 'clusterroles', '*'))
        -- All verbs on roles include escalate and bind.
        OR array_has(verbs, '*') AND array_has_any(resources, make_array('roles', 'clusterroles'))
        THEN 'escalation of roles'
      WHEN array_has(verbs, 'impersonate')
        AND array_has_any(resources, make_array('users', 'groups', 'serviceaccounts', 'uids', 'userextras/scopes', '*'))
        THEN 'impersonation'
      WHEN array_has(resources, 'serviceaccounts/token') AND array_has_any(api_groups, make_array('', '*'))
        AND array_has_any(verbs, make_array('create', '*')) AND is_unlimited
        THEN 'tokens of service accounts'
      WHEN array_has_any(resources, make_array('certificatesigningrequests/approval', 'signers'))
        AND array_has_any(verbs, make_array('update', 'patch', 'approve', 'sign', '*'))
        THEN 'approval of certificates'
      WHEN array_has_any(resources, make_array('mutatingwebhookconfigurations', 'validatingwebhookconfigurations', 'validatingadmissionpolicies', 'validatingadmissionpolicybindings'))
        AND array_has_any(verbs, make_array('create', 'update', 'patch', 'delete', '*')) AND is_unlimited
        THEN 'control of admission'
      WHEN array_has_any(resources, make_array('nodes/proxy', 'nodes/*')) AND array_has_any(api_groups, make_array('', '*'))
        THEN 'access to kubelets'
      WHEN array_has(resources, 'securitycontextconstraints') AND array_has_any(api_groups, make_array('security.openshift.io', '*'))
        AND array_has_any(verbs, make_array('use', '*'))
        AND (is_unlimited OR array_has_any(resource_names, make_array('privileged', 'hostaccess', 'hostmount-anyuid', 'hostmount-anyuid-v2', 'node-exporter')))
        THEN 'privileged pods through SecurityContextConstraints'
    END AS powerful,
    CASE
      WHEN array_has_any(resources, make_array('pods/exec', 'pods/attach', 'pods/*')) AND array_has_any(api_groups, make_array('', '*'))
        AND array_has_any(verbs, make_array('create', 'get', '*'))
        THEN 'exec into pods'
      -- Controllers need one named secret.
      WHEN array_has(resources, 'secrets') AND array_has_any(api_groups, make_array('', '*'))
        AND array_has_any(verbs, make_array('get', 'list', 'watch', '*')) AND is_unlimited
        THEN 'reading of secrets'
      -- wildcard-role reports all verbs on all resources of the core group or of all groups.
      WHEN array_has(resources, '*') AND NOT coalesce(array_has(verbs, '*'), false)
        OR array_has(resources, '*') AND cardinality(api_groups) > 0 AND NOT array_has_any(api_groups, make_array('', '*'))
        OR array_has(verbs, '*') AND NOT coalesce(array_has(resources, '*'), false) AND array_has_any(api_groups, make_array('', '*'))
        THEN 'resources or verbs added later, by a wildcard'
    END AS sensitive
  FROM (SELECT *, coalesce(cardinality(resource_names), 0) = 0 AS is_unlimited FROM role_rules)
  WHERE outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
)
SELECT
  event_id,
  CASE WHEN powerful IS NOT NULL THEN 'medium' ELSE 'low' END AS severity,
  concat(
    kind, ' ', name, ' grants ', coalesce(powerful, sensitive), ': ', array_to_string(verbs, ', '), ' on ',
    coalesce(array_to_string(resources, ', '), array_to_string(non_resource_urls, ', '), 'nothing'),
    ' named ' || nullif(array_to_string(resource_names, ', '), '')) AS reason
FROM granted
WHERE powerful IS NOT NULL OR sensitive IS NOT NULL
UNION ALL
-- Through part of impersonation, or a wildcard in another form.
SELECT
  event_id, 'medium' AS severity,
  concat(rbac['kind'], ' ', name, ' grants in effect: ', array_to_string(rbac['effects'], ', ')) AS reason
FROM events
WHERE activity = 'rbac' AND array_has_any(rbac['effects'], make_array('escalate', 'impersonate')) AND NOT array_has(rbac['effects'], 'everything')
  AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
