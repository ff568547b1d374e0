-- One row a host path of pods_workloads, with what it means for the node:
-- `inside` is the kind of the nearest sensitive path that it is or lies in, `holds` the kinds of those that lie below it,
-- `writable` whether a container may write to it; where no mount is visible that is not known, and taken for granted.
WITH mounts AS (
  SELECT event_id, mount['name'] AS volume, bool_or(NOT coalesce(mount['read_only'], false)) AS writable
  FROM (SELECT event_id, unnest(volume_mounts) AS mount FROM pods_containers{history})
  GROUP BY event_id, mount['name']
),
paths AS (
  SELECT DISTINCT event_id, time, cluster, username, identity_kind, verb, namespace, kind, object, name, host_path, host_path_raw
  FROM volumes{history}
  LEFT JOIN ordinary_host_paths AS ordinary
    ON host_path = ordinary.path OR starts_with(host_path, ordinary.path || '/')
  WHERE host_path IS NOT NULL AND ordinary.path IS NULL
    AND outcome = 'allowed' AND NOT made_by_controller AND (identity_kind IS DISTINCT FROM 'node')
),
matched AS (
  SELECT
    paths.*, sensitive.path AS sensitive_path, sensitive.kind AS sensitive_kind,
    host_path = sensitive.path OR starts_with(host_path, sensitive.path || '/') AS is_inside
  FROM paths
  LEFT JOIN sensitive_paths AS sensitive
    ON host_path = sensitive.path
    OR starts_with(host_path, sensitive.path || '/')
    OR starts_with(sensitive.path, CASE host_path WHEN '/' THEN '/' ELSE host_path || '/' END)
)
SELECT
  located.event_id, time, cluster, username, identity_kind, verb, namespace, kind, object, name, host_path, host_path_raw,
  inside, holds, coalesce(writable, true) AS writable,
  'volume ' || coalesce(name, '') || ' of ' || object || ' is host path ' || host_path_raw
    || CASE WHEN writable THEN ', writable' WHEN NOT writable THEN ', read-only' ELSE '' END AS reason
FROM (
  SELECT
    event_id, time, cluster, username, identity_kind, verb, namespace, kind, object, name, host_path, host_path_raw,
    array_agg(sensitive_kind ORDER BY length(sensitive_path) DESC) FILTER (WHERE is_inside)[1] AS inside,
    array_agg(DISTINCT sensitive_kind) FILTER (WHERE NOT is_inside) AS holds
  FROM matched
  GROUP BY event_id, time, cluster, username, identity_kind, verb, namespace, kind, object, name, host_path, host_path_raw
) AS located
LEFT JOIN mounts ON mounts.event_id = located.event_id AND mounts.volume = located.name
