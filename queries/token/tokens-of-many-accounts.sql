/*
id: tokens-of-many-accounts
title: Tokens requested for many service accounts
severity: high
confidence: high
risk: 60
attack: [T1528]
tactics: [Credential Access]
description: >-
  An identity gets tokens of several service accounts in a burst, which indicates a collection of identities to try.
  Members of system:masters are left out, because installers do this.
blind_spots: Slow collection.
false_positives:
  - Secret stores and test tools that issue tokens for many accounts
references:
  - https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
  - https://attack.mitre.org/techniques/T1528/
covers: [CA-009]
controls: [IAM-16]
parameters:
  accounts:
    type: integer
    default: 3
    description: Number of accounts that make a collection
  gap_seconds:
    type: integer
    default: 300
    description: Pause that ends the burst
*/
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' gets tokens of ' || count(DISTINCT namespace || '/' || name)
    || ' service accounts, such as ' || min(namespace || '/' || name) AS reason
FROM (
  SELECT *, session_number(time, $gap_seconds) OVER (PARTITION BY cluster, username, impersonated_username ORDER BY time, event_id) AS burst
  FROM client_requests
  WHERE activity = 'access' AND resource = 'serviceaccounts' AND subresource = 'token' AND verb = 'create' AND outcome = 'allowed'
    AND (identity_kind IN ('human', 'anonymous') OR identity_kind = 'service_account' AND tool_kind <> 'other')
    AND NOT coalesce(array_has_any(user_groups, make_array('system:masters', 'kubeadm:cluster-admins')), false)
)
GROUP BY cluster, username, impersonated_username, burst
HAVING count(DISTINCT namespace || '/' || name) >= $accounts
