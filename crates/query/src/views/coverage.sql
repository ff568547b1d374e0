-- What the log contains of each kind of request. Detections cannot see the content of the writes counted in
-- `writes_without_body`. `writes` are the successful creates, updates and patches that carry a body.
SELECT
  cluster, date, activity, api_group, resource, subresource, verb, level,
  count(*) AS requests,
  count(*) FILTER (WHERE writes) AS writes,
  count(*) FILTER (WHERE writes AND request_object IS NULL AND response_object IS NULL) AS writes_without_body,
  count(request_object) AS with_request_object,
  count(response_object) AS with_response_object,
  count(*) FILTER (WHERE truncated) AS truncated
FROM (
  SELECT
    *,
    verb IN ('create', 'update', 'patch') AND outcome = 'allowed'
      AND (subresource IS NULL OR subresource NOT IN ('exec', 'attach', 'portforward', 'proxy')) AS writes
  FROM events
)
GROUP BY cluster, date, activity, api_group, resource, subresource, verb, level
