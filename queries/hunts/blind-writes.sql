/*
title: Writes whose bodies are not in the log
description: >-
  Writes without a body in the log, because the audit policy logs them at Metadata level. Queries on workloads, roles or
  bindings do not see their content.
*/
SELECT
  cluster, activity, concat_ws('/', resource, subresource) AS resource, level,
  sum(writes_without_body) AS writes_without_body, sum(writes) AS writes, min(date) AS first_day, max(date) AS last_day
FROM coverage
GROUP BY cluster, activity, concat_ws('/', resource, subresource), level
HAVING sum(writes_without_body) > 0
ORDER BY writes_without_body DESC, resource
