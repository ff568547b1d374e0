/*
id: role-uses-privileged-scc
title: Role that grants use of a privileged SecurityContextConstraints
severity: medium
confidence: medium
risk: 35
attack: [T1098.006, T1611]
tactics: [Privilege Escalation, Persistence]
description: >-
  A role is written that allows the use of OpenShift's SecurityContextConstraints `privileged`, `hostaccess`,
  `hostmount-anyuid` or `node-exporter`, or of any. Its holders can run pods that control their node.
blind_spots: Constraints with other names, which are judged when they are written. Writes logged at Metadata level.
false_positives:
  - Storage, network and monitoring operators
triage:
  - "SELECT time, username, verb, name, api_groups, resources, verbs, resource_names FROM role_rules WHERE name = '<name>' ORDER BY time"
  - "SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/authentication_and_authorization/managing-pod-security-policies
covers: [RB-011]
controls: [IAM-16]
*/
SELECT
  event_id,
  kind || ' ' || coalesce(name, '') || ' allows the use of SecurityContextConstraints '
    || coalesce(nullif(array_to_string(resource_names, ', '), ''), 'with any name') AS reason
FROM role_rules
WHERE array_has_any(verbs, make_array('use', '*')) AND array_has(resources, 'securitycontextconstraints')
  AND array_has_any(api_groups, make_array('security.openshift.io', '*'))
  AND (coalesce(cardinality(resource_names), 0) = 0
    OR array_has_any(resource_names, make_array('privileged', 'hostaccess', 'hostmount-anyuid', 'hostmount-anyuid-v2', 'node-exporter')))
  AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
