/*
id: token-of-a-rare-account
title: Token requested for a service account that people rarely use
severity: medium
confidence: medium
risk: 35
attack: [T1528]
tactics: [Credential Access]
description: >-
  A person, or a service account in a shell, gets a token of a service account whose tokens are rarely requested by
  anyone else. Tokens of accounts that several people use (pipeline deployers) are left out, and so are members of
  system:masters, who gain nothing.
blind_spots: Accounts whose tokens several people requested before. A second person in the same log.
false_positives:
  - A person who sets up a new client or dashboard
triage:
  - >-
    SELECT time, username, namespace, name, outcome, client_ip FROM events WHERE resource = 'serviceaccounts' AND subresource = 'token' AND identity_kind NOT IN ('node', 'controller') ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
  - https://attack.mitre.org/techniques/T1528/
covers: [CA-009]
controls: [IAM-16]
parameters:
  routine_requests:
    type: integer
    default: 10
    description: Number of tokens of one account that count as routine
*/
WITH requests AS (
  SELECT *, true AS in_scope FROM client_requests
  UNION ALL
  SELECT *, false AS in_scope FROM client_requests_history
),
tokens AS (
  SELECT *
  FROM requests
  WHERE activity = 'access' AND resource = 'serviceaccounts' AND subresource = 'token' AND verb = 'create' AND outcome = 'allowed'
    AND (identity_kind IN ('human', 'anonymous') OR identity_kind = 'service_account' AND tool_kind <> 'other')
    AND NOT coalesce(array_has_any(user_groups, make_array('system:masters', 'kubeadm:cluster-admins')), false)
    -- An account that renews its own token gains nothing.
    AND username <> 'system:serviceaccount:' || namespace || ':' || name
),
habits AS (
  SELECT cluster, namespace, name, count(DISTINCT username) AS identities, count(*) AS requests
  FROM tokens
  GROUP BY cluster, namespace, name
)
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' gets a token of service account ' || tokens.namespace || '/' || tokens.name AS reason
FROM tokens
JOIN habits
  ON tokens.cluster = habits.cluster AND tokens.namespace = habits.namespace AND tokens.name = habits.name
WHERE in_scope AND identities = 1 AND requests < $routine_requests
