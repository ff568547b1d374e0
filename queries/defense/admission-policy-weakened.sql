/*
id: admission-policy-weakened
title: Admission policy deleted or made lenient
severity: medium
confidence: medium
risk: 35
attack: [T1562]
tactics: [Defense Evasion]
description: >-
  An admission policy or its binding is deleted or changed, or a webhook is set to let pass what it cannot check.
blind_spots: >-
  Writes that are logged at Metadata level show no rules, subjects or specs.
false_positives:
  - Upgrades of policy engines
triage:
  - "SELECT time, username, verb, name, webhook, url, service_namespace, service_name, resources, failure_policy FROM webhooks ORDER BY time"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
covers: [DE-004]
*/
SELECT event_id, verb || ' of ' || resource || ' ' || coalesce(name, '') || ' by ' || coalesce(username, 'nobody') AS reason
FROM events
WHERE activity = 'write' AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous')
  AND ((resource IN ('validatingadmissionpolicies', 'validatingadmissionpolicybindings', 'mutatingadmissionpolicies', 'mutatingadmissionpolicybindings')
      AND verb IN ('update', 'patch', 'delete', 'deletecollection'))
    OR (api_group IN ('kyverno.io', 'templates.gatekeeper.sh', 'constraints.gatekeeper.sh', 'policies.kubewarden.io')
      AND verb IN ('delete', 'deletecollection')))
UNION ALL
SELECT event_id, 'webhook ' || coalesce(webhook, '') || ' of ' || coalesce(name, '') || ' is set to ignore failures' AS reason
FROM webhooks
WHERE failure_policy = 'Ignore' AND verb IN ('update', 'patch') AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous')
