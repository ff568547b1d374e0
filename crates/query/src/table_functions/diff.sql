-- The changes of a workload from version to version, with the identity that made them; sort with ORDER BY time. An
-- object is `name`, `namespace/name`, `resource/name` or `resource/namespace/name`.
SELECT
  time, username, impersonated_username, verb, object, namespace, change, container, field, before, after, cluster, event_id
FROM changes
WHERE name = $1
  OR concat_ws('/', namespace, name) = $1
  OR concat_ws('/', resource, name) = $1
  OR concat_ws('/', resource, namespace, name) = $1
