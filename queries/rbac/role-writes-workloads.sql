/*
id: role-writes-workloads
title: Role that creates or changes workloads
severity: info
confidence: low
risk: 4
attack: [T1098.006, T1610]
tactics: [Privilege Escalation, Persistence]
description: >-
  A role is written that allows creating or changing workloads. Its holders can run pods under any service account of
  the namespace.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Operators and deployment pipelines
triage:
  - "SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time"
  - "SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#workload-creation
covers: [RB-013]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' allows ' || array_to_string(verbs, ', ') || ' on ' || coalesce(array_to_string(resources, ', '), array_to_string(non_resource_urls, ', '), 'nothing') AS reason
FROM role_rules
WHERE array_has_any(resources, make_array('pods', 'deployments', 'daemonsets', 'statefulsets', 'replicasets', 'jobs', 'cronjobs', 'replicationcontrollers'))
  AND array_has_any(verbs, make_array('create', 'update', 'patch', '*')) AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
