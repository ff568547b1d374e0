/*
id: grant-inside-another-object
title: Powerful role or binding embedded in another object
severity: medium
routine: low
confidence: medium
risk: 35
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A custom resource, a policy or a ConfigMap is written that contains a role which allows everything or can extend
  itself, or a binding to such a role. A controller creates the role or binding, which bypasses the rule that an
  identity can only grant rights that it has. A binding of a subject to cluster-admin is high.
blind_spots: Text that is neither JSON nor YAML.
false_positives:
  - Operators installed by another operator
triage:
  - >-
    SELECT time, username, verb, api_group, resource, namespace, name, embedded FROM events WHERE event_id = '<event_id>'
  - SELECT * FROM grants WHERE granted_at >= '<time>' ORDER BY granted_at
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [RB-001]
controls: [IAM-16]
*/
WITH held AS (
  SELECT event_id, verb, resource, name, username, unnest(embedded['rbac']) AS rbac
  FROM events
  WHERE activity IN ('write', 'workload') AND embedded IS NOT NULL AND outcome = 'allowed' AND identity_kind <> 'controller'
),
rules AS (
  SELECT event_id, verb, resource, name, username, unnest(rbac['rules']) AS rule
  FROM held
)
SELECT
  event_id,
  verb || ' of ' || resource || ' ' || coalesce(name, '') || ' contains a binding to ' || rbac['role_name'] AS reason,
  CASE WHEN reach = 'cluster' THEN 'high' ELSE 'medium' END AS severity
FROM held
JOIN privileged_roles ON privileged_roles.role = rbac['role_name'] AND reach IN ('cluster', 'escalation')
UNION ALL
SELECT
  event_id,
  verb || ' of ' || resource || ' ' || coalesce(name, '') || ' contains a role that allows '
    || CASE WHEN array_has(rule['verbs'], '*') AND array_has(rule['resources'], '*') THEN 'every verb on every resource' ELSE 'privilege escalation' END AS reason,
  'medium' AS severity
FROM rules
WHERE (array_has(rule['verbs'], '*') AND array_has(rule['resources'], '*') AND array_has_any(rule['api_groups'], make_array('*', '')))
  OR (array_has_any(rule['verbs'], make_array('escalate', 'bind', 'impersonate')))
