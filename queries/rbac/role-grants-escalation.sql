/*
id: role-grants-escalation
title: Role that grants escalate, bind or impersonate
severity: medium
routine: low
confidence: medium
risk: 35
attack: [T1098.006, T1134]
tactics: [Privilege Escalation, Persistence]
description: >-
  A role is written whose rule allows escalate or bind on roles, or impersonate on users, groups or accounts. Its
  holders can give themselves any right.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - GitOps controllers and platform operators that manage roles for others
triage:
  - "SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time"
  - "SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
covers: [RB-011]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' allows ' || array_to_string(verbs, ', ') || ' on ' || coalesce(array_to_string(resources, ', '), array_to_string(non_resource_urls, ', '), 'nothing') AS reason
FROM role_rules
WHERE outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller' AND (
  (array_has_any(verbs, make_array('escalate', 'bind'))
    AND array_has_any(resources, make_array('roles', 'clusterroles', '*')))
  OR (array_has(verbs, 'impersonate')
    AND array_has_any(resources, make_array('users', 'groups', 'serviceaccounts', 'uids', 'userextras/scopes', '*')))
  -- All verbs on roles include escalate and bind.
  OR (array_has(verbs, '*') AND array_has_any(resources, make_array('roles', 'clusterroles')))
)
UNION ALL
-- Through part of impersonation, or a wildcard in another form.
SELECT event_id, rbac['kind'] || ' ' || coalesce(name, '') || ' allows in effect: ' || array_to_string(rbac['effects'], ', ') AS reason
FROM events
WHERE activity = 'rbac' AND array_has_any(rbac['effects'], make_array('escalate', 'impersonate')) AND NOT array_has(rbac['effects'], 'everything')
  AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
