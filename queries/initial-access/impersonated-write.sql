/*
id: impersonated-write
title: Write under impersonation
severity: medium
confidence: medium
risk: 35
attack: [T1134, T1078]
tactics: [Privilege Escalation, Stealth]
description: >-
  A request changed the cluster by impersonating another user (kubectl --as). The rights of the impersonated user apply,
  and other logs show only that name.
blind_spots: >-
  Tokens requested for the other account: see token-request.
false_positives:
  - Gateways that authenticate people and impersonate them (Rancher, Teleport, Azure Arc)
  - Administrators in a break-glass procedure
triage:
  - >-
    SELECT time, impersonated_username, verb, resource, namespace, name, outcome FROM events WHERE username = '<identity>' AND impersonated_username IS NOT NULL ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
covers: [WL-071]
controls: [IAM-16]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' acts as ' || impersonated_username || coalesce(
    ' of ' || array_to_string(impersonated_groups, ', '), '') AS reason
FROM events
WHERE impersonated_username IS NOT NULL AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND outcome = 'allowed'
  -- Reviews are queries, although the API calls them creates.
  AND coalesce(api_group, '') NOT IN ('authorization.k8s.io', 'authentication.k8s.io')
