/*
id: wildcard-role
aliases: [role-elevated-to-wildcard]
title: Role with all verbs on all resources
severity: medium
routine: low
confidence: medium
risk: 60
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A role allows every verb on every resource, as cluster-admin does, in any spelling. Its subjects have full control of
  the cluster or namespace. The severity is high where an identity other than a service account changes an existing role to
  it: subjects that are already bound to the role become administrators.
blind_spots: The previous rules, which are not compared.
false_positives:
  - Operators that require full rights
  - Installers that apply such a role repeatedly
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [RB-007, RB-014]
controls: [IAM-16]
*/
WITH wildcards AS (
  SELECT event_id, verb, identity_kind, kind || ' ' || coalesce(name, '') AS role, 'every verb on every resource' AS rights
  FROM role_rules
  WHERE array_has(verbs, '*') AND array_has(resources, '*') AND outcome = 'allowed'
    -- All verbs on the API group of an operator are not reported. A rule that is not visible is not assumed harmless.
    AND (coalesce(cardinality(api_groups), 0) = 0 OR array_has_any(api_groups, make_array('', '*')))
  UNION ALL
  SELECT
    event_id, verb, identity_kind, rbac['kind'] || ' ' || coalesce(name, '') AS role,
    'everything in effect: ' || array_to_string(rbac['effects'], ', ') AS rights
  FROM events
  WHERE activity = 'rbac' AND array_has(rbac['effects'], 'everything') AND outcome = 'allowed'
)
SELECT
  event_id,
  CASE WHEN verb IN ('update', 'patch') AND identity_kind <> 'service_account' THEN 'high' ELSE 'medium' END AS severity,
  role || CASE WHEN verb IN ('update', 'patch') THEN ' changed to allow ' ELSE ' allows ' END || rights AS reason
FROM wildcards
WHERE verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
