-- The writes of a workload and of everything that it owns or belongs to, with the root of the owners and the identity
-- that last wrote the root; sort with ORDER BY time. An object is `name`, `namespace/name`, `resource/name` or
-- `resource/namespace/name`.
SELECT
  time, verb, object, namespace, outcome, username, root_kind, root_name, depth, author, author_known_by, author_time,
  cluster, event_id, author_event_id
FROM workload_tree
WHERE name = $1
  OR concat_ws('/', namespace, name) = $1
  OR concat_ws('/', resource, name) = $1
  OR concat_ws('/', resource, namespace, name) = $1
  OR root_name = $1
  OR concat_ws('/', namespace, root_name) = $1
  OR concat_ws('/', concat(lower(root_kind), 's'), root_name) = $1
  OR concat_ws('/', concat(lower(root_kind), 's'), namespace, root_name) = $1
