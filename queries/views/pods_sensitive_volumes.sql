-- One row a write of a PersistentVolume by which pods reach a sensitive path or a runtime socket of their node.
SELECT DISTINCT
  event_id, time, cluster, username, identity_kind, outcome, name, claim_namespace, claim_name, host_path, host_path_raw
FROM (
  SELECT
    volume.*, ordinary.path AS ordinary_path
  FROM persistent_volumes{history} AS volume
  LEFT JOIN ordinary_host_paths AS ordinary
    ON host_path = ordinary.path OR starts_with(host_path, ordinary.path || '/')
  WHERE host_path IS NOT NULL AND outcome = 'allowed'
)
JOIN (
  SELECT path FROM sensitive_paths UNION SELECT path FROM runtime_sockets
) AS sensitive
  ON host_path = sensitive.path
  OR starts_with(host_path, sensitive.path || '/')
  OR starts_with(sensitive.path, CASE host_path WHEN '/' THEN '/' ELSE host_path || '/' END)
WHERE ordinary_path IS NULL
