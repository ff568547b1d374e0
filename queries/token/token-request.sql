/*
id: token-request
aliases: [token-of-a-rare-account, long-token-lifetime]
title: Service account token requested
severity: medium
confidence: medium
risk: 35
attack: [T1528, T1098]
tactics: [Credential Access, Persistence]
description: >-
  An identity requests a token of a service account, successfully or not (low). The severity is medium where a person,
  or a service account in a shell, gets a token of an account whose tokens no other identity requests (members of
  system:masters gain nothing and are left out), and where the token is valid for more than a week: an attacker keeps
  such a credential.
blind_spots: >-
  Accounts whose tokens several people requested before. A second person in the same log. Lifetimes in requests whose
  bodies are not logged, and servers that shorten the requested lifetime.
false_positives:
  - Pipelines that get a token for their deployer
  - Secret stores such as Vault, and operators that act for other accounts
  - A person who sets up a new client or dashboard
  - Pipelines and monitoring outside the cluster with a one-year token
references:
  - https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
  - https://attack.mitre.org/techniques/T1528/
covers: [CA-009, CA-011]
controls: [IAM-16]
parameters:
  routine_requests:
    type: integer
    default: 10
    description: Number of tokens of one account that count as routine
  longest_seconds:
    type: integer
    default: 604800
    description: Lifetime above which a token is reported
*/
WITH requests AS (
  SELECT *
  FROM all_client_requests
  WHERE activity = 'access' AND resource = 'serviceaccounts' AND subresource = 'token' AND verb = 'create' AND identity_kind NOT IN ('node', 'controller')
    AND outcome IN ('allowed', 'denied_authz', 'denied_admission')
),
interactive AS (
  SELECT cluster, event_id, namespace, name, username
  FROM requests
  WHERE outcome = 'allowed' AND (identity_kind IN ('human', 'anonymous') OR identity_kind = 'service_account' AND tool_kind <> 'other')
    AND NOT coalesce(array_has_any(user_groups, make_array('system:masters', 'kubeadm:cluster-admins')), false)
    -- An account that renews its own token gains nothing.
    AND username <> 'system:serviceaccount:' || namespace || ':' || name
),
rare AS (
  SELECT interactive.cluster, event_id
  FROM interactive
  JOIN (
    SELECT cluster, namespace, name
    FROM interactive
    GROUP BY cluster, namespace, name
    HAVING count(DISTINCT username) = 1 AND count(*) < $routine_requests
  ) AS account
    ON account.cluster = interactive.cluster AND account.namespace = interactive.namespace AND account.name = interactive.name
)
SELECT
  requests.event_id,
  CASE WHEN rare.event_id IS NOT NULL OR (outcome = 'allowed' AND long.hours IS NOT NULL) THEN 'medium' ELSE 'low' END AS severity,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' requests a token of service account ' || coalesce(namespace || '/', '') || coalesce(name, '?')
    || coalesce(' for ' || long.hours || ' hours', '')
    || CASE WHEN rare.event_id IS NOT NULL THEN ', whose tokens no other identity requests' ELSE '' END
    || CASE WHEN outcome = 'allowed' THEN '' ELSE ', without success' END AS reason
FROM requests
LEFT JOIN rare ON rare.cluster = requests.cluster AND rare.event_id = requests.event_id
LEFT JOIN (SELECT cluster, event_id, expiration_seconds / 3600 AS hours FROM token_requests WHERE expiration_seconds > $longest_seconds) AS long
  ON long.cluster = requests.cluster AND long.event_id = requests.event_id
WHERE in_scope
