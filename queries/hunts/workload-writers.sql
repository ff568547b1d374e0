/*
title: Workload writers by namespace and time
description: >-
  One row per creation of a workload, including dry runs and denied requests, with the identity behind a controller.
parameters:
  namespace: {type: text, description: 'Namespace; * matches any characters', default: '*'}
  from: {type: time, description: First instant}
  to: {type: time, description: End (exclusive)}
*/
SELECT
  w.time, w.namespace, w.object, w.outcome, w.username, t.author, t.author_known_by, w.client_ip, w.user_agent,
  array_distinct(array_agg(c.image) FILTER (WHERE c.image IS NOT NULL)) AS images,
  w.cluster, w.event_id
FROM workloads AS w
LEFT JOIN workload_tree AS t ON t.cluster = w.cluster AND t.event_id = w.event_id
LEFT JOIN containers AS c ON c.cluster = w.cluster AND c.event_id = w.event_id
WHERE w.created
  AND glob(w.namespace, $namespace)
  AND ($from IS NULL OR w.time >= $from)
  AND ($to IS NULL OR w.time < $to)
GROUP BY
  w.time, w.namespace, w.object, w.outcome, w.username, t.author, t.author_known_by, w.client_ip, w.user_agent,
  w.cluster, w.event_id
ORDER BY w.time, w.event_id
