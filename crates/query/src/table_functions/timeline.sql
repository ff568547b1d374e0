-- The requests of an identity, those from a client address, or those on an object; sort with ORDER BY time. An address is
-- exact or a network, such as `10.1.0.0/16`. An object is `name`, `namespace/name`, `resource/name` or
-- `resource/namespace/name`. Requests without a resource, such as discovery, have a `request_uri` only.
SELECT
  time, username, impersonated_username, verb, concat_ws('/', resource, subresource) AS resource, namespace, name, outcome,
  array_to_string(exec['command'], ' ') AS command_line,
  client_ip, user_agent_tool, user_agent, request_uri, cluster, event_id
FROM events
WHERE username = $1
  OR impersonated_username = $1
  OR client_ip = $1
  OR ($1 LIKE '%/%' AND coalesce(cidr_contains($1, client_ip), false))
  OR name = $1
  OR concat_ws('/', namespace, name) = $1
  OR concat_ws('/', resource, name) = $1
  OR concat_ws('/', resource, namespace, name) = $1
