/*
id: minted-token-used-by-its-requester
title: Person uses a service account token they requested
severity: high
confidence: high
risk: 50
attack: [T1528, T1550.001]
tactics: [Credential Access, Lateral Movement]
description: >-
  A person requests a service account token and then uses it in a shell from the same address. The log links the issued
  token with its use. This hides the person behind the account.
blind_spots: API servers before 1.32, which do not log credential ids. Tokens used from another address.
false_positives:
  - Tests of an account's rights
triage:
  - >-
    SELECT time, verb, resource, namespace, name, outcome FROM events WHERE username = '<service account>' ORDER BY time
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
  - https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
covers: [CA-009, IA-010]
controls: [IAM-16]
*/
WITH minted AS (
  SELECT cluster, username AS requester, client_ip, annotations['authentication.kubernetes.io/issued-credential-id'] AS credential
  FROM all_events
  WHERE activity = 'access' AND resource = 'serviceaccounts' AND subresource = 'token' AND verb = 'create' AND outcome = 'allowed' AND identity_kind = 'human'
),
used AS (
  SELECT *, user_extra['authentication.kubernetes.io/credential-id'][1] AS credential
  FROM client_requests
  WHERE identity_kind = 'service_account' AND tool_kind <> 'other' AND outcome NOT IN ('unknown', 'denied_authn')
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  min(requester) || ' works as ' || username || ' with a token that this person requested: ' || count(*) || ' requests from '
    || used.client_ip AS reason
FROM used
JOIN minted ON used.cluster = minted.cluster AND used.credential = minted.credential AND used.client_ip = minted.client_ip
GROUP BY used.cluster, username, used.client_ip, used.credential
