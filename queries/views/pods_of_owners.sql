-- One row per write that the control plane derives from an owner's template and whose whole template is visible, with
-- its access to the node: `powers` (privileged, or all capabilities, SYS_ADMIN, SYS_PTRACE or SYS_MODULE), `pid`,
-- `root` (the node's root directory), `sensitive` (a path that allows node takeover), `escapes` (a container escape
-- command). Most are harmless to a node, and their Pod Security level is enough to exclude them.
WITH risky AS (
  SELECT cluster, event_id, host_pid, host_ipc, containers, volumes
  FROM workloads
  WHERE made_by_controller AND outcome = 'allowed' AND posture IS NOT NULL
    AND (pod_security_level IS DISTINCT FROM 'restricted') AND (pod_security_level IS DISTINCT FROM 'baseline')
),
of_containers AS (
  SELECT
    cluster, event_id,
    bool_or(coalesce(c['privileged'], false)
      OR coalesce(array_has_any(c['capabilities_add'], make_array('ALL', 'SYS_ADMIN', 'SYS_PTRACE', 'SYS_MODULE')), false)) AS powers
  FROM (SELECT cluster, event_id, unnest(containers) AS c FROM risky)
  GROUP BY cluster, event_id
),
of_commands AS (
  SELECT DISTINCT cluster, event_id
  FROM (
    SELECT
      cluster, event_id,
      concat_ws(' ', array_to_string(c['command'], ' '), array_to_string(c['args'], ' ')) AS line
    FROM (SELECT cluster, event_id, unnest(containers) AS c FROM risky)
  )
  JOIN command_patterns ON regexp_like(line, pattern, 'is')
  WHERE kind = 'host escape'
    AND what NOT IN ('files of the node below a mount', 'the socket of the container runtime', 'static pods of the node')
),
of_volumes AS (
  SELECT cluster, event_id, bool_or(v['host_path'] = '/') AS root, bool_or(sensitive.path IS NOT NULL) AS sensitive
  FROM (SELECT cluster, event_id, unnest(volumes) AS v FROM risky)
  LEFT JOIN sensitive_paths AS sensitive
    ON (v['host_path'] = sensitive.path OR starts_with(v['host_path'], sensitive.path || '/')
      OR starts_with(sensitive.path, CASE v['host_path'] WHEN '/' THEN '/' ELSE v['host_path'] || '/' END))
    AND sensitive.kind IN ('system', 'home', 'static pods', 'cluster credentials', 'credentials', 'cluster state')
  WHERE v['host_path'] IS NOT NULL
  GROUP BY cluster, event_id
)
SELECT
  written.event_id, written.time, written.cluster, written.username, written.namespace, written.name, written.object,
  written.kind, written.verb, written.client_ip, written.posture,
  written.owner['kind'] AS owner_kind, written.owner['name'] AS owner_name, written.owner['uid'] AS owner_uid,
  coalesce(powers, false) AS powers, coalesce(written.host_pid, false) AS pid, coalesce(written.host_ipc, false) AS ipc,
  coalesce(root, false) AS root, coalesce(sensitive, false) AS sensitive, of_commands.event_id IS NOT NULL AS escapes
FROM workloads AS written
LEFT JOIN of_containers ON of_containers.cluster = written.cluster AND of_containers.event_id = written.event_id
LEFT JOIN of_commands ON of_commands.cluster = written.cluster AND of_commands.event_id = written.event_id
LEFT JOIN of_volumes ON of_volumes.cluster = written.cluster AND of_volumes.event_id = written.event_id
WHERE written.made_by_controller AND written.outcome = 'allowed' AND written.posture IS NOT NULL
