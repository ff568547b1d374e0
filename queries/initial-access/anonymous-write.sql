/*
id: anonymous-write
title: Unauthenticated write
severity: high
confidence: high
risk: 70
attack: [T1078.001, T1190]
tactics: [Initial Access]
description: >-
  An unauthenticated request changed the cluster. RBAC grants rights to system:anonymous or system:unauthenticated, or
  the API server's authorizer allows everything.
blind_spots: >-
  Writes through the kubelet or etcd, which the API server does not see.
false_positives:
  - None known
triage:
  - >-
    SELECT username, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY username
  - >-
    SELECT time, username, name, role_name FROM bindings WHERE subject_name IN ('system:anonymous', 'system:unauthenticated') ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome FROM events WHERE client_ip = '<address>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
covers: [WL-070, IA-001]
controls: [IAM-16]
*/
SELECT event_id, 'an unauthenticated client may ' || verb || ' ' || concat_ws('/', resource, subresource) AS reason
FROM events
WHERE identity_kind = 'anonymous' AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND outcome = 'allowed'
  -- Reviews are queries, although the API calls them creates.
  AND coalesce(api_group, '') NOT IN ('authorization.k8s.io', 'authentication.k8s.io')
