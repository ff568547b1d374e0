-- The requests of an identity, or those on an object; sort with ORDER BY time. An object is `name`, `namespace/name`,
-- `resource/name` or `resource/namespace/name`.
SELECT
  time, username, impersonated_username, verb, concat_ws('/', resource, subresource) AS resource, namespace, name, outcome,
  array_to_string(exec['command'], ' ') AS command_line,
  client_ip, user_agent_tool, cluster, event_id
FROM events
WHERE username = $1
  OR impersonated_username = $1
  OR name = $1
  OR concat_ws('/', namespace, name) = $1
  OR concat_ws('/', resource, name) = $1
  OR concat_ws('/', resource, namespace, name) = $1
