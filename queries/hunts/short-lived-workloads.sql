/*
title: Workloads deleted soon after creation
description: >-
  Workloads deleted within a period after creation by a person or program: a finished task, a mistake, or removed
  traces. Workloads created and deleted by controllers are left out.
parameters:
  within: {type: interval, description: Maximum lifetime, default: 10m}
*/
SELECT
  w.time AS created, min(d.time) AS deleted, min(d.time) - w.time AS life, w.namespace, w.object,
  w.username AS created_by, first_value(d.username ORDER BY d.time) AS deleted_by,
  w.cluster, w.event_id, first_value(d.event_id ORDER BY d.time) AS delete_event_id
FROM workloads AS w
JOIN events AS d
  ON d.cluster = w.cluster
  AND d.resource = w.resource
  AND d.name = w.name
  AND coalesce(d.namespace, '') = coalesce(w.namespace, '')
WHERE w.created AND w.subresource IS NULL AND w.outcome = 'allowed' AND NOT w.made_by_controller
  AND d.verb = 'delete' AND d.subresource IS NULL AND d.outcome = 'allowed'
  AND d.time >= w.time AND d.time <= w.time + CAST($within AS INTERVAL)
GROUP BY w.cluster, w.event_id, w.time, w.namespace, w.object, w.username
ORDER BY created, w.event_id
