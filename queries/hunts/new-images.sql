/*
title: Images first seen in the scope
description: >-
  Images whose first use lies in the scope, within a period before its end. Images used earlier in the log count as seen.
parameters:
  within: {type: interval, description: Period before the end of the scope, default: 7d}
*/
SELECT
  image, min(time) AS first_seen, count(*) AS writes,
  array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
  array_agg(DISTINCT username ORDER BY username) AS usernames,
  first_value(event_id ORDER BY time) AS event_id
FROM (
  SELECT image, time, namespace, username, event_id, true AS in_scope FROM containers WHERE outcome = 'allowed' AND image IS NOT NULL
  UNION ALL
  SELECT image_reference AS image, time, namespace, username, event_id, true AS in_scope FROM volumes WHERE outcome = 'allowed' AND image_reference IS NOT NULL
  UNION ALL
  SELECT image, time, namespace, username, event_id, false AS in_scope FROM containers_history WHERE outcome = 'allowed' AND image IS NOT NULL
  UNION ALL
  SELECT image_reference AS image, time, namespace, username, event_id, false AS in_scope FROM volumes_history WHERE outcome = 'allowed' AND image_reference IS NOT NULL
)
GROUP BY image
HAVING bool_and(in_scope)
  AND min(time) >= (SELECT max(time) FROM events WHERE time_problem IS DISTINCT FROM 'future') - CAST($within AS INTERVAL)
ORDER BY first_seen, image
