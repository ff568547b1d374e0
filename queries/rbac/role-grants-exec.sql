/*
id: role-grants-exec
title: Role that grants exec into pods
severity: low
confidence: low
risk: 10
attack: [T1098.006, T1609]
tactics: [Privilege Escalation, Persistence]
description: >-
  A role is written that allows exec or attach. Its holders can enter every pod that it covers, with the rights of the
  pod's account.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Operators and support tools
triage:
  - "SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time"
  - "SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [RB-009]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' allows ' || array_to_string(verbs, ', ') || ' on ' || coalesce(array_to_string(resources, ', '), array_to_string(non_resource_urls, ', '), 'nothing') AS reason
FROM role_rules
WHERE array_has_any(resources, make_array('pods/exec', 'pods/attach', 'pods/*')) AND array_has_any(api_groups, make_array('', '*')) AND array_has_any(verbs, make_array('create', 'get', '*')) AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
