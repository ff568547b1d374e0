/*
id: role-grants-node-proxy
title: Role that grants kubelet access (nodes/proxy)
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1098.006, T1611]
tactics: [Privilege Escalation, Persistence]
description: >-
  A role is written that allows nodes/proxy. Its holders can send requests to the kubelet of each node and run commands
  in its pods, and the audit log does not show the commands.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Older monitoring systems, which scrape the kubelet through the API server
triage:
  - "SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time"
  - "SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#access-to-proxy-subresource-of-nodes
covers: [RB-010]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' allows ' || array_to_string(verbs, ', ') || ' on ' || coalesce(array_to_string(resources, ', '), array_to_string(non_resource_urls, ', '), 'nothing') AS reason
FROM role_rules
WHERE array_has_any(resources, make_array('nodes/proxy', 'nodes/*')) AND array_has_any(api_groups, make_array('', '*')) AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
