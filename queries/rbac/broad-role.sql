/*
id: broad-role
title: Role with a wildcard
severity: low
confidence: low
risk: 10
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A role is written with a rule that allows all verbs on some resources, or some verbs on all resources. It also grants
  verbs and resources added later.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Operators with wildcards for their own API group
triage:
  - "SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time"
  - "SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#least-privilege
covers: [RB-007]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' allows ' || array_to_string(verbs, ', ') || ' on ' || coalesce(array_to_string(resources, ', '), array_to_string(non_resource_urls, ', '), 'nothing') AS reason
FROM role_rules
WHERE outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
  AND CASE
    -- wildcard-role reports all verbs on all resources of the core group or of all groups.
    WHEN array_has(verbs, '*') AND array_has(resources, '*') THEN
      cardinality(api_groups) > 0 AND NOT array_has_any(api_groups, make_array('', '*'))
    WHEN array_has(resources, '*') THEN true
    ELSE array_has(verbs, '*') AND array_has_any(api_groups, make_array('', '*'))
  END
