/*
id: role-controls-credentials
title: Role with control over tokens, certificates or webhooks
severity: medium
routine: low
confidence: medium
risk: 25
attack: [T1098.006, T1528]
tactics: [Privilege Escalation, Persistence]
description: >-
  A role is written that allows requesting service account tokens, approving certificates, or changing admission. Each
  of these leads to every right.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Secret managers, certificate operators and policy engines
triage:
  - "SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time"
  - "SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
covers: [RB-013]
controls: [IAM-16]
*/
SELECT event_id, kind || ' ' || coalesce(name, '') || ' allows ' || array_to_string(verbs, ', ') || ' on ' || coalesce(array_to_string(resources, ', '), array_to_string(non_resource_urls, ', '), 'nothing') AS reason
FROM role_rules
WHERE outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller' AND (
  (array_has_any(resources, make_array('serviceaccounts/token')) AND array_has_any(api_groups, make_array('', '*')) AND array_has_any(verbs, make_array('create', '*')) AND coalesce(cardinality(resource_names), 0) = 0)
  OR (array_has_any(resources, make_array('certificatesigningrequests/approval', 'signers')) AND array_has_any(verbs, make_array('update', 'patch', 'approve', 'sign', '*')))
  OR (array_has_any(resources, make_array('mutatingwebhookconfigurations', 'validatingwebhookconfigurations', 'validatingadmissionpolicies', 'validatingadmissionpolicybindings'))
    AND array_has_any(verbs, make_array('create', 'update', 'patch', 'delete', '*')) AND coalesce(cardinality(resource_names), 0) = 0)
)
