/*
id: system-service-account-created
title: Service account created by a person in a system namespace
severity: low
confidence: medium
risk: 15
attack: [T1136, T1036.005]
tactics: [Persistence, Stealth]
description: A person creates a service account in a platform namespace, where it looks like a component.
blind_spots: None known.
false_positives:
  - Administrators who install add-ons
triage:
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
  - "SELECT time, username, verb, outcome FROM events WHERE resource = '<resource>' AND name = '<name>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/service-accounts/
covers: [RB-017]
controls: [IAM-16]
*/
SELECT DISTINCT event_id, 'service account ' || concat_ws('/', events.namespace, name) || ' created by ' || coalesce(username, 'an unknown identity') AS reason
FROM events
JOIN system_namespaces ON events.namespace LIKE system_namespaces.namespace
WHERE activity = 'rbac' AND resource = 'serviceaccounts' AND subresource IS NULL AND created
  AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous')
