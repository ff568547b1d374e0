/*
id: wildcard-role
title: Role with all verbs on all resources
severity: medium
routine: low
confidence: medium
risk: 40
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A role is written that allows all verbs on all resources, with wildcards or spelled out, in one rule or several, or
  with an aggregation rule that includes all roles: cluster-admin under another name.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Operators that require full rights
triage:
  - "SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time"
  - "SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
covers: [RB-007]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' allows every verb on every resource' AS reason
FROM role_rules
WHERE array_has(verbs, '*') AND array_has(resources, '*')
  -- All verbs on the API group of an operator are not reported. A rule that is not visible is not assumed harmless.
  AND (coalesce(cardinality(api_groups), 0) = 0 OR array_has_any(api_groups, make_array('', '*')))
  AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
UNION ALL
SELECT event_id, rbac['kind'] || ' ' || coalesce(name, '') || ' allows everything in effect: ' || array_to_string(rbac['effects'], ', ') AS reason
FROM events
WHERE activity = 'rbac' AND array_has(rbac['effects'], 'everything')
  AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
