/*
id: anonymous-read
title: Unauthenticated read
severity: medium
confidence: high
risk: 35
attack: [T1078.001, T1190, T1613]
tactics: [Initial Access, Discovery]
description: >-
  An unauthenticated request read objects of the cluster, or an API server path that is not public. RBAC grants rights
  to system:anonymous or system:unauthenticated.
blind_spots: >-
  Reads through the kubelet, which the API server does not see.
false_positives:
  - The ConfigMap cluster-info in kube-public, which joining nodes read
triage:
  - >-
    SELECT username, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY username
  - >-
    SELECT time, username, name, role_name FROM bindings WHERE subject_name IN ('system:anonymous', 'system:unauthenticated') ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome FROM events WHERE client_ip = '<address>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
covers: [IA-001]
controls: [IAM-16]
*/
SELECT
  event_id,
  'an unauthenticated client may ' || verb || ' '
    || coalesce(concat_ws('/', resource, subresource) || coalesce(' in ' || namespace, ''), request_uri, '?') AS reason
FROM events
WHERE identity_kind = 'anonymous' AND outcome = 'allowed' AND verb IN ('get', 'list', 'watch', 'post')
  AND (resource IS NOT NULL
    OR NOT regexp_like(request_path(coalesce(request_uri, '/version')), '^/(healthz|livez|readyz|version|\.well-known|openid|api|apis|openapi)(/|$)'))
  -- Nodes that join with kubeadm read the cluster's address.
  AND NOT (coalesce(namespace, '') = 'kube-public' AND coalesce(name, '') = 'cluster-info')
