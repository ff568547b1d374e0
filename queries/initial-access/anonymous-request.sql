/*
id: anonymous-request
aliases: [anonymous-read, anonymous-write]
title: Unauthenticated request
severity: medium
confidence: high
risk: 70
attack: [T1190, T1078.001, T1613]
tactics: [Initial Access, Discovery]
description: >-
  An unauthenticated request changed the cluster (high), or read objects of the cluster or an API server path that is
  not public (medium): RBAC grants rights to system:anonymous or system:unauthenticated, or the authorizer allows
  everything. Other requests than health and version checks are info, one row per address.
blind_spots: >-
  Requests through the kubelet or etcd, which the API server does not see. Clients behind a proxy, which share an
  address.
false_positives:
  - The ConfigMap cluster-info in kube-public, which joining nodes read
  - Load balancer probes
  - Internet noise where the API server is public
triage:
  - SELECT time, verb, request_uri, outcome, user_agent FROM events WHERE client_ip = '<address>' ORDER BY time
  - >-
    SELECT identity_kind, username, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY identity_kind, username
  - >-
    SELECT time, username, name, role_name FROM bindings WHERE subject_name IN ('system:anonymous', 'system:unauthenticated') ORDER BY time
  - SELECT time, verb, resource, namespace, name, outcome FROM events WHERE client_ip = '<address>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
covers: [IA-002, IA-001, WL-070]
controls: [IAM-16]
*/
SELECT
  event_id,
  CASE WHEN verb IN ('get', 'list', 'watch', 'post') THEN 'medium' ELSE 'high' END AS severity,
  'an unauthenticated client is allowed to ' || verb || ' '
    || coalesce(nullif(concat_ws('/', resource, subresource), '') || coalesce(' in ' || namespace, ''), request_uri, '?') AS reason
FROM events
WHERE identity_kind = 'anonymous' AND outcome = 'allowed'
  AND CASE
    WHEN verb IN ('get', 'list', 'watch', 'post') THEN
      (resource IS NOT NULL
        OR NOT regexp_like(request_path(coalesce(request_uri, '/version')), '^/(healthz|livez|readyz|version|\.well-known|openid|api|apis|openapi)(/|$)'))
      -- Nodes that join with kubeadm read the cluster's address.
      AND NOT (coalesce(namespace, '') = 'kube-public' AND coalesce(name, '') = 'cluster-info')
    -- Reviews are queries, although the API calls them creates.
    ELSE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
      AND coalesce(api_group, '') NOT IN ('authorization.k8s.io', 'authentication.k8s.io')
  END
UNION ALL
SELECT
  min(event_id) AS event_id,
  'info' AS severity,
  coalesce(client_ip, '?') || ' sends requests without a credential: ' || count(*) || ', of which '
    || count(*) FILTER (WHERE outcome <> 'allowed') || ' were denied' AS reason
FROM events
WHERE identity_kind = 'anonymous'
  AND NOT coalesce(regexp_like(request_path(request_uri), '^/(healthz|livez|readyz|version)(/|$)'), false)
GROUP BY cluster, client_ip
