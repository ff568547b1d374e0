-- One row per write of a PersistentVolume that gives pods a sensitive path or a runtime socket of their node.
-- `executes`: the node runs code, or reads configuration, from there.
SELECT
  event_id, time, cluster, username, identity_kind, verb, created, outcome, name, claim_namespace, claim_name, storage_class, host_path, host_path_raw,
  coalesce(bool_or(is_inside AND executes AND length(path) = nearest), false) OR coalesce(bool_or(executes AND NOT is_inside), false) AS executes
FROM (
  SELECT
    *,
    max(CASE WHEN is_inside THEN length(path) END) OVER (PARTITION BY event_id, host_path) AS nearest
  FROM (
    SELECT
      volume.*, sensitive.path AS path, sensitive.executes,
      host_path = sensitive.path OR starts_with(host_path, sensitive.path || '/') AS is_inside
    FROM (
      SELECT volume.*, ordinary.path AS ordinary_path
      FROM persistent_volumes AS volume
      LEFT JOIN ordinary_host_paths AS ordinary
        ON host_path = ordinary.path OR starts_with(host_path, ordinary.path || '/')
      WHERE host_path IS NOT NULL AND outcome = 'allowed'
    ) AS volume
    JOIN (
      SELECT path, executes = 'true' AS executes FROM sensitive_paths UNION ALL SELECT path, true FROM runtime_sockets
    ) AS sensitive
      ON host_path = sensitive.path
      OR starts_with(host_path, sensitive.path || '/')
      OR (host_path NOT IN ('/home', '/mnt')
        AND starts_with(sensitive.path, CASE host_path WHEN '/' THEN '/' ELSE host_path || '/' END))
    WHERE ordinary_path IS NULL
  )
)
GROUP BY event_id, time, cluster, username, identity_kind, verb, created, outcome, name, claim_namespace, claim_name, storage_class, host_path, host_path_raw
