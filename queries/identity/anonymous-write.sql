/*
id: anonymous-write
title: Write without authentication
severity: high
attack: [T1078.001, T1190]
description: >-
  A request that authenticated as nobody changed the cluster: RBAC grants rights to system:anonymous or
  system:unauthenticated, or the API server's authorizer lets everything pass.
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
*/
SELECT event_id, 'an unauthenticated client may ' || verb || ' ' || concat_ws('/', resource, subresource) AS reason
FROM events
WHERE identity_kind = 'anonymous'
  AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
  AND outcome = 'allowed'
  -- Reviews are questions, though the API calls them creates.
  AND coalesce(api_group, '') NOT IN ('authorization.k8s.io', 'authentication.k8s.io')
