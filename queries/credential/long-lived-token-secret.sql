/*
id: long-lived-token-secret
title: Secret for a token that never expires
severity: medium
confidence: medium
risk: 35
attack: [T1528, T1098]
tactics: [Persistence, Credential Access]
description: >-
  Somebody creates a secret of type kubernetes.io/service-account-token: the control plane puts a token of the named
  service account into it that holds until the secret is deleted. It outlives a change of passwords and of people.
blind_spots: >-
  Secrets whose bodies are not logged, which is often so on purpose.
false_positives:
  - Add-ons and clients outside of the cluster that cannot renew a token
triage:
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
covers: [CA-010]
controls: [IAM-16]
*/
SELECT
  event_id,
  coalesce(username, 'nobody') || coalesce(' as ' || impersonated_username, '') || ' makes a token that never expires of service account ' || coalesce(namespace || '/', '')
    || coalesce(service_account_name, '?') || ' in secret ' || coalesce(name, '*') AS reason
FROM secrets
WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND type = 'kubernetes.io/service-account-token'
  AND identity_kind NOT IN ('controller', 'node')
