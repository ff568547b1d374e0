/*
id: service-account-created
title: Service account created
severity: info
confidence: low
risk: 3
attack: [T1136]
tactics: [Persistence]
description: >-
  A service account is created: an identity that does not depend on a person.
blind_spots: None known.
false_positives:
  - Most charts
triage:
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
  - "SELECT time, username, verb, outcome FROM events WHERE resource = '<resource>' AND name = '<name>' ORDER BY time"
references:
  - https://kubernetes.io/docs/concepts/security/service-accounts/
covers: [RB-017]
controls: [IAM-16]
*/
SELECT event_id, 'service account ' || concat_ws('/', namespace, name) || ' created' AS reason
FROM events
WHERE activity = 'rbac' AND resource = 'serviceaccounts' AND subresource IS NULL AND created
  AND outcome = 'allowed' AND identity_kind <> 'controller'
