/*
id: privileged-impersonation
title: Impersonation of a privileged identity
severity: medium
confidence: medium
risk: 40
attack: [T1134, T1078]
tactics: [Privilege Escalation]
description: >-
  An identity impersonates system:masters, a system user or an administrator. The log names both identities, and the
  rights are those of the impersonated one.
blind_spots: >-
  Impersonation by proxies that present their own certificate.
false_positives:
  - Management planes that impersonate their users, and break-glass procedures
triage:
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
  - "SELECT time, username, verb, outcome FROM events WHERE resource = '<resource>' AND name = '<name>' ORDER BY time"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
covers: [RB-018]
controls: [IAM-16]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' acts as ' || impersonated_username
    || coalesce(' of ' || array_to_string(impersonated_groups, ', '), '') || ' to ' || verb || ' ' || coalesce(resource, request_uri, '') AS reason
FROM events
WHERE impersonated_username IS NOT NULL AND outcome NOT IN ('denied_authn', 'denied_authz')
  AND (array_has(impersonated_groups, 'system:masters')
    OR (starts_with(impersonated_username, 'system:') AND NOT starts_with(impersonated_username, 'system:serviceaccount:'))
    OR starts_with(impersonated_username, 'system:serviceaccount:kube-system:')
    OR impersonated_username IN ('kubernetes-admin', 'kubernetes-super-admin', 'admin', 'cluster-admin'))
  AND identity_kind NOT IN ('controller', 'system')
