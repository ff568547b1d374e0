/*
title: Workloads without resource limits
description: >-
  Workloads created with a container that has neither a memory nor a CPU limit, so that it can use the whole node, as
  cryptominers do. Limits that a LimitRange sets later are not visible where the response is not logged.
parameters:
  namespace: {type: text, description: "Namespace, or a LIKE pattern", default: '%'}
*/
SELECT
  min(time) AS time, cluster, min(username) AS username, namespace, object,
  string_agg(name, ', ' ORDER BY name) AS containers, event_id
FROM containers
WHERE outcome = 'allowed' AND NOT made_by_controller AND (identity_kind IS DISTINCT FROM 'node')
  AND body_source IN ('response', 'request') AND created AND subresource IS NULL AND role = 'container'
  AND coalesce(cardinality(map_keys(limits)), 0) = 0
  AND coalesce(namespace, '') LIKE $namespace
GROUP BY cluster, namespace, object, event_id
ORDER BY time, event_id
