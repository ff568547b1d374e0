/*
id: long-token-lifetime
title: Long-lived token requested
severity: medium
confidence: high
risk: 30
attack: [T1528, T1098]
tactics: [Persistence, Credential Access]
description: >-
  An identity other than a kubelet or the control plane requests a service account token that is valid for more than a
  week. An attacker keeps such a credential.
blind_spots: Requests whose bodies are not logged. Servers that shorten the requested lifetime.
false_positives:
  - Pipelines and monitoring outside the cluster with a one-year token
triage:
  - >-
    SELECT time, username, namespace, name, outcome, client_ip FROM events WHERE resource = 'serviceaccounts' AND subresource = 'token' AND identity_kind NOT IN ('node', 'controller') ORDER BY time
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
covers: [CA-011]
controls: [IAM-16]
parameters:
  longest_seconds:
    type: integer
    default: 604800
    description: Lifetime above which a token is reported
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' gets a token of service account ' || coalesce(namespace || '/', '') || coalesce(name, '?') || ' for '
    || expiration_seconds / 3600 || ' hours' AS reason
FROM token_requests
WHERE verb = 'create' AND outcome = 'allowed' AND expiration_seconds > $longest_seconds
  AND identity_kind NOT IN ('controller', 'node')
