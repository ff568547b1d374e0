/*
id: role-elevated-to-wildcard
title: Existing role elevated to a wildcard
severity: high
routine: low
confidence: medium
risk: 60
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  An existing role is changed to allow all verbs on all resources. All its holders become administrators, and no binding
  shows it.
blind_spots: >-
  Writes logged at Metadata level, which show no rules, subjects or specs. The previous rules, which are not compared.
false_positives:
  - Installers that apply such a role repeatedly
triage:
  - "SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time"
  - "SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [RB-014]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' changed to allow every verb on every resource' AS reason
FROM role_rules
WHERE array_has(verbs, '*') AND array_has(resources, '*')
  AND (coalesce(cardinality(api_groups), 0) = 0 OR array_has_any(api_groups, make_array('', '*')))
  AND outcome = 'allowed' AND verb IN ('update', 'patch')
  AND identity_kind NOT IN ('controller', 'service_account')
UNION ALL
SELECT event_id, rbac['kind'] || ' ' || coalesce(name, '') || ' changed to allow everything in effect: ' || array_to_string(rbac['effects'], ', ') AS reason
FROM events
WHERE activity = 'rbac' AND array_has(rbac['effects'], 'everything')
  AND outcome = 'allowed' AND verb IN ('update', 'patch')
  AND identity_kind NOT IN ('controller', 'service_account')
