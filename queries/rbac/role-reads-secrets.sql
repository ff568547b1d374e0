/*
id: role-reads-secrets
title: Role that reads secrets
severity: low
confidence: low
risk: 8
attack: [T1098.006, T1552.007]
tactics: [Privilege Escalation, Persistence]
description: A role is written that allows reading secrets. list and watch return their content as get does.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Operators
triage:
  - "SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time"
  - "SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#listing-secrets
covers: [RB-012]
controls: [IAM-16, DSP-15]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' allows ' || array_to_string(verbs, ', ') || ' on ' || coalesce(array_to_string(resources, ', '), array_to_string(non_resource_urls, ', '), 'nothing') AS reason
FROM role_rules
WHERE array_has_any(resources, make_array('secrets')) AND array_has_any(api_groups, make_array('', '*')) AND array_has_any(verbs, make_array('get', 'list', 'watch', '*')) AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
  -- Controllers need one named secret.
  AND coalesce(cardinality(resource_names), 0) = 0
