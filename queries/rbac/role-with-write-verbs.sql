/*
id: role-with-write-verbs
title: Role with write verbs
severity: info
confidence: low
risk: 2
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: A role is written that allows create, update, patch or delete.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Most roles
triage:
  - "SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time"
  - "SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/
covers: [RB-008]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' allows ' || array_to_string(verbs, ', ') || ' on ' || coalesce(array_to_string(resources, ', '), array_to_string(non_resource_urls, ', '), 'nothing') AS reason
FROM role_rules
WHERE array_has_any(verbs, make_array('create', 'update', 'patch', 'delete', 'deletecollection', '*')) AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
