/*
id: token-request
title: Service account token requested
severity: low
confidence: medium
risk: 10
attack: [T1528]
tactics: [Credential Access]
description: >-
  An identity other than a kubelet or the control plane requests a service account token (kubectl create token), and can
  act as that account outside any pod. Denied requests count too.
blind_spots: Tokens read from a pod or a secret.
false_positives:
  - Pipelines that get a token for their deployer
  - Secret stores such as Vault, and operators that act for other accounts
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
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' requests a token of service account ' || coalesce(namespace || '/', '') || coalesce(name, '?')
    || CASE WHEN outcome = 'allowed' THEN '' ELSE ', without success' END AS reason
FROM events
WHERE activity = 'access' AND resource = 'serviceaccounts' AND subresource = 'token' AND verb = 'create' AND identity_kind NOT IN ('node', 'controller')
  AND outcome IN ('allowed', 'denied_authz', 'denied_admission')
