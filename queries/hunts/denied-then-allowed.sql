/*
title: Requests denied first and allowed later
description: >-
  The same verb on the same resource in the same namespace, denied and then allowed within a period: probing until it
  works, or a right granted in between.
parameters:
  kinds: {type: text_list, description: Kinds of identities; kubelets and controllers often precede their grants, default: [human, service_account, cloud_service_account, anonymous]}
  within: {type: interval, description: Maximum time between denial and success, default: 1h}
*/
SELECT
  d.username, d.verb, d.resource, d.namespace, d.first AS denied_at, d.denied, min(a.time) AS allowed_at,
  d.cluster, first_value(a.event_id ORDER BY a.time) AS event_id
FROM (
  SELECT
    cluster, effective_username AS username, verb, concat_ws('/', resource, subresource) AS resource, namespace,
    min(time) AS first, count(*) AS denied
  FROM events
  WHERE outcome IN ('denied_authz', 'denied_admission') AND resource IS NOT NULL
    AND array_has($kinds, identity_kind)
  GROUP BY cluster, effective_username, verb, concat_ws('/', resource, subresource), namespace
) AS d
JOIN events AS a
  ON a.cluster = d.cluster
  AND a.effective_username = d.username
  AND a.verb = d.verb
  AND concat_ws('/', a.resource, a.subresource) = d.resource
  AND coalesce(a.namespace, '') = coalesce(d.namespace, '')
WHERE a.outcome = 'allowed' AND a.time > d.first AND a.time <= d.first + CAST($within AS INTERVAL)
GROUP BY d.cluster, d.username, d.verb, d.resource, d.namespace, d.first, d.denied
ORDER BY denied_at, d.username
