/*
id: admission-webhook-by-person
title: Admission webhook created or deleted by a person
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1546, T1685]
tactics: [Persistence, Defense Impairment]
description: >-
  A person creates or deletes an admission webhook configuration by hand, outside the automation that owns such objects.
blind_spots: None known.
false_positives:
  - Administrators who install or remove a policy engine
triage:
  - "SELECT time, username, verb, name, webhook, url, service_namespace, service_name, resources, failure_policy FROM webhooks ORDER BY time"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
covers: [DE-002]
*/
SELECT DISTINCT event_id, verb || ' of ' || resource || ' ' || coalesce(name, '') || ' by ' || coalesce(username, 'an unknown identity') AS reason
FROM webhooks
WHERE outcome = 'allowed' AND identity_kind IN ('human', 'anonymous') AND (created OR verb IN ('delete', 'deletecollection'))
