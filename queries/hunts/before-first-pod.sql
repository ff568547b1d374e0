/*
title: Activity of an identity before its first workload
description: >-
  The requests of an identity up to its first workload write in the scope, including that write; for several identities,
  each up to its own. Controllers, nodes and the control plane are left out unless they are named.
parameters:
  identity: {type: text, description: 'User name; * matches any characters', default: '*'}
  before: {type: interval, description: Period before the first write, default: 1h}
*/
SELECT
  e.effective_username AS username, e.time, f.first - e.time AS before, e.verb,
  concat_ws('/', e.resource, e.subresource) AS resource, e.namespace, e.name, e.outcome, e.client_ip, e.user_agent,
  e.cluster, e.event_id
FROM events AS e
JOIN (
  SELECT cluster, effective_username, min(time) AS first
  FROM events
  WHERE activity = 'workload' AND workload IS NOT NULL AND outcome = 'allowed'
    AND glob(effective_username, $identity)
    AND ($identity <> '*' OR identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous'))
  GROUP BY cluster, effective_username
) AS f ON f.cluster = e.cluster AND f.effective_username = e.effective_username
WHERE e.time <= f.first AND e.time >= f.first - CAST($before AS INTERVAL)
ORDER BY e.cluster, username, e.time, e.event_id
