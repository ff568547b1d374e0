/*
id: service-account-created
aliases: [system-service-account-created]
title: Service account created
severity: info
confidence: low
risk: 15
attack: [T1136, T1036.005]
tactics: [Persistence, Stealth]
description: >-
  A service account is created. The severity is low where a person creates it in a platform namespace, where it is hard
  to distinguish from accounts of the platform.
false_positives:
  - Most charts
  - Administrators who install add-ons
references:
  - https://kubernetes.io/docs/concepts/security/service-accounts/
covers: [RB-017]
controls: [IAM-16]
*/
SELECT
  event_id,
  CASE WHEN platform.name IS NOT NULL AND identity_kind IN ('human', 'anonymous') THEN 'low' ELSE 'info' END AS severity,
  'service account ' || concat_ws('/', events.namespace, events.name) || ' created by ' || coalesce(username, 'an unknown identity') AS reason
FROM events
LEFT JOIN (
  SELECT DISTINCT accounts.namespace AS name
  FROM (SELECT DISTINCT namespace FROM events WHERE resource = 'serviceaccounts') AS accounts
  JOIN system_namespaces ON accounts.namespace LIKE system_namespaces.namespace
) AS platform ON platform.name = events.namespace
WHERE activity = 'rbac' AND resource = 'serviceaccounts' AND subresource IS NULL AND created
  AND outcome = 'allowed' AND identity_kind <> 'controller'
