-- One row per hostPath volume of authored_workloads, with its effect on the node: `inside` is the kind of the nearest
-- sensitive path that it equals or is below, or its entry in ordinary_host_paths (hooks, trust, volumes); `holds` are
-- the kinds of the sensitive paths below it; `executes` is whether the node runs code, or reads configuration, written
-- to it or below it; `writable` is whether a container may write to it, null where no mount is visible, which counts as
-- writable; `is_node_agent` is whether the workload is a DaemonSet of node agents only: each image is from a repository
-- of the table node_agents, and no command is a shell, an interpreter or a program outside the image's own directory.
-- An attacker would have to run the agent's own image with the agent's own program, on all nodes.
WITH mounts AS (
  SELECT event_id, mount['name'] AS volume, bool_or(NOT coalesce(mount['read_only'], false)) AS writable
  FROM (SELECT event_id, unnest(volume_mounts) AS mount FROM authored_containers)
  GROUP BY event_id, mount['name']
),
agents AS (
  SELECT
    event_id,
    bool_and(known.repository IS NOT NULL AND NOT coalesce(runs_else, false)) AS is_node_agent
  FROM (
    SELECT
      event_id, concat(registry, '/', repository) AS full_repository,
      regexp_like(
        concat_ws(' ', array_to_string(command, ' '), array_to_string(args, ' ')),
        '(^|[\s/;|&])(ba|da|z|k|a)?sh(\s|$)|nsenter|chroot|unshare|python|perl|ruby|node |curl|wget|busybox|[;|&`$\n]|/dev/tcp'
      ) AS runs_else
    FROM authored_containers
    WHERE kind = 'DaemonSet'
  ) AS used
  LEFT JOIN node_agents AS known ON used.full_repository = known.repository
  GROUP BY event_id
),
paths AS (
  SELECT DISTINCT
    event_id, time, cluster, username, identity_kind, verb, namespace, kind, object, name, host_path, host_path_raw, ordinary.holds AS ordinary_holds
  FROM volumes
  LEFT JOIN ordinary_host_paths AS ordinary
    ON host_path = ordinary.path OR starts_with(host_path, ordinary.path || '/')
  WHERE host_path IS NOT NULL
    AND (ordinary.path IS NULL OR ordinary.holds IN ('hooks', 'trust')
      -- The volume of one claim is below it. The provisioner creates and removes its directories: an attacker needs the
      -- token of that account.
      OR (ordinary.holds = 'volumes' AND host_path = ordinary.path
        AND NOT regexp_like(username, '^system:serviceaccount:(kube-system|local-path-storage|openebs|longhorn-system):[a-z0-9-]*(provisioner|openebs|hostpath)')))
    AND outcome = 'allowed' AND NOT made_by_controller AND (identity_kind IS DISTINCT FROM 'node')
),
matched AS (
  SELECT
    paths.*, sensitive.path AS sensitive_path, sensitive.kind AS sensitive_kind,
    sensitive.executes = 'true' AS path_executes,
    host_path = sensitive.path OR starts_with(host_path, sensitive.path || '/') AS is_inside
  FROM paths
  LEFT JOIN sensitive_paths AS sensitive
    ON ordinary_holds IS NULL
    AND (host_path = sensitive.path
    OR starts_with(host_path, sensitive.path || '/')
    -- Paths specific to one distribution in /home and /mnt do not make these directories sensitive.
    OR (host_path NOT IN ('/home', '/mnt')
      AND starts_with(sensitive.path, CASE host_path WHEN '/' THEN '/' ELSE host_path || '/' END)))
)
SELECT
  located.event_id, time, cluster, username, identity_kind, verb, namespace, kind, object, name, host_path, host_path_raw,
  inside, holds, coalesce(writable, true) AS writable,
  'volume ' || coalesce(name, '') || ' of ' || object || ' mounts host path ' || host_path_raw
    || CASE WHEN writable THEN ', writable' WHEN NOT writable THEN ', read-only' ELSE '' END AS reason,
  coalesce(inside_executes, false) OR coalesce(held_executes, false) OR host_path LIKE '/home/%/.ssh%' AS executes,
  coalesce(is_node_agent, false) AS is_node_agent
FROM (
  SELECT
    event_id, time, cluster, username, identity_kind, verb, namespace, kind, object, name, host_path, host_path_raw,
    coalesce(max(ordinary_holds), array_agg(sensitive_kind ORDER BY length(sensitive_path) DESC) FILTER (WHERE is_inside)[1]) AS inside,
    array_agg(path_executes ORDER BY length(sensitive_path) DESC) FILTER (WHERE is_inside)[1] AS inside_executes,
    array_agg(DISTINCT sensitive_kind) FILTER (WHERE NOT is_inside) AS holds,
    bool_or(path_executes) FILTER (WHERE NOT is_inside) AS held_executes
  FROM matched
  GROUP BY event_id, time, cluster, username, identity_kind, verb, namespace, kind, object, name, host_path, host_path_raw
) AS located
LEFT JOIN mounts ON mounts.event_id = located.event_id AND mounts.volume = located.name
LEFT JOIN agents ON agents.event_id = located.event_id
