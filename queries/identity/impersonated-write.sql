/*
id: impersonated-write
title: Write as somebody else
severity: medium
attack: [T1134, T1078]
description: >-
  A request changed the cluster in the name of another user (kubectl --as): the rights that count are those of the
  impersonated one, and other logs show only that name.
false_positives:
  - Gateways that authenticate people themselves and impersonate them (Rancher, Teleport, Azure Arc)
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
*/
SELECT
  event_id,
  coalesce(username, 'nobody') || ' acts as ' || impersonated_username || coalesce(
    ' of ' || array_to_string(impersonated_groups, ', '), '') AS reason
FROM events
WHERE impersonated_username IS NOT NULL
  AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
  AND outcome = 'allowed'
  AND coalesce(api_group, '') NOT IN ('authorization.k8s.io', 'authentication.k8s.io')
