/*
id: long-lived-token-secret
title: Secret for a non-expiring service account token
severity: medium
confidence: medium
risk: 35
attack: [T1528, T1098]
tactics: [Persistence, Credential Access]
description: >-
  An identity creates a secret of type kubernetes.io/service-account-token. The control plane puts a token of the named
  service account into it that is valid until the secret is deleted, and survives password changes and staff changes.
  Where bodies are not logged, the token controller reveals the type: it immediately updates secrets of that type, and
  no others.
blind_spots: Secrets whose bodies are not logged, which is often deliberate.
false_positives:
  - Add-ons and clients outside the cluster that cannot renew a token
triage:
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
covers: [CA-010]
controls: [IAM-16]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' creates a non-expiring token of service account ' || coalesce(namespace || '/', '')
    || coalesce(service_account_name, '?') || ' in secret ' || coalesce(name, '*') AS reason
FROM secrets
WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND type = 'kubernetes.io/service-account-token'
  AND identity_kind NOT IN ('controller', 'node')
UNION ALL
SELECT
  made.event_id,
  coalesce(made.username, 'an unknown identity') || coalesce(' as ' || made.impersonated_username, '') || ' creates a non-expiring token in secret '
    || coalesce(made.namespace || '/', '') || made.name || ', which the token controller then fills' AS reason
FROM secrets AS made
LEFT SEMI JOIN (
  SELECT cluster, namespace, name, time
  FROM secrets
  -- The controller runs as the controller manager, or under its own account.
  WHERE verb IN ('update', 'patch') AND outcome = 'allowed' AND (username = 'system:kube-controller-manager' OR regexp_like(user_agent, 'tokens-controller'))
    AND username LIKE 'system:%'
) AS filled
  ON filled.cluster = made.cluster AND filled.namespace = made.namespace AND filled.name = made.name
  AND date_diff('second', made.time, filled.time) BETWEEN 0 AND 30
WHERE made.created AND made.outcome = 'allowed' AND made.type IS NULL AND made.name IS NOT NULL
  AND made.identity_kind NOT IN ('controller', 'node')
