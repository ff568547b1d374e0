-- Writes of workloads that are platform agents as published by their vendors, by event: every container, of all roles,
-- has an image of platform_agents, runs the program of that image, and requests no more powers, node paths and volumes
-- than the product does. No volume covers the programs of the image, and no variable loads code into them. The writer
-- gets the published program, and nothing else.
WITH shown AS (
  SELECT cluster, event_id, kind, host_pid, host_ipc
  FROM workloads
  WHERE outcome = 'allowed' AND body_source IN ('request', 'response') AND subresource IS NULL AND kind IN ('DaemonSet', 'Deployment', 'ReplicaSet', 'Pod')
),
mounts AS (
  SELECT cluster, event_id, mount['name'] AS volume, coalesce(mount['mount_path'], '') AS path, coalesce(mount['read_only'], false) AS read_only
  FROM (SELECT cluster, event_id, unnest(volume_mounts) AS mount FROM containers)
),
ran AS (
  SELECT
    container.cluster, container.event_id, agent.product, container.privileged, container.capabilities_add,
    string_to_array(coalesce(agent.powers, ''), ' ') AS powers, string_to_array(coalesce(agent.programs, ''), ' ') AS programs,
    container.command, container.args, container.handlers, container.host_process
  FROM containers AS container
  LEFT JOIN platform_agents AS agent ON concat(container.registry, '/', container.repository) = agent.repository
),
judged AS (
  SELECT
    cluster, event_id,
    bool_and(
      product IS NOT NULL
      AND NOT coalesce(host_process, false)
      AND (NOT coalesce(privileged, false) OR array_has(powers, 'privileged'))
      AND coalesce(array_has_all(array_concat(powers, make_array('NET_BIND_SERVICE')), capabilities_add), true)
      AND CASE
        WHEN coalesce(array_length(command), 0) > 0 THEN array_has(programs, command[1])
        WHEN coalesce(array_length(args), 0) > 0 THEN starts_with(args[1], '-') OR array_has(programs, args[1])
        ELSE true
      END
      -- Flags that make such programs run others or download content.
      AND NOT regexp_like(coalesce(array_to_string(array_concat(command, args), ' '), ''), '(^|[^a-z])(program|exec|script|command|shell|lua|http://|https://[a-z0-9.-]+/)', 'i')
    ) AS listed,
    bool_or(array_has(powers, 'hostPID')) AS may_see_processes
  FROM ran
  GROUP BY cluster, event_id
),
-- Probes and hooks, each treated as a program.
handled AS (
  SELECT cluster, event_id, bool_or(NOT array_has(programs, handler['command'][1])) AS foreign_handler
  FROM (SELECT cluster, event_id, programs, unnest(handlers) AS handler FROM ran)
  WHERE coalesce(array_length(handler['command']), 0) > 0
  GROUP BY cluster, event_id
),
-- A file mounted over a program of the image runs instead of it.
covered AS (
  SELECT DISTINCT cluster, event_id
  FROM mounts
  WHERE NOT regexp_like(path, '^/(var|run|tmp|host|rootfs|sys|proc|initproc|nodeproc|dev|data|config|csi|registration|lib/modules|fluent-bit/etc|fluentd/etc|etc/[^/]+)(/|$)')
    OR regexp_like(path, 'checks\.d|conf\.d|modules\.d|plugins?\.d|/(scripts?|hooks?)(/|$)|\.(py|sh|lua|so|rb|pl)$')
    OR regexp_like(path, '^/etc/ld\.so') OR regexp_like(path, '(^|/)\.\.?(/|$)')
),
products AS (SELECT DISTINCT cluster, event_id, product FROM ran WHERE product IS NOT NULL),
volume AS (
  SELECT volumes.cluster, volumes.event_id, type, host_path, coalesce(bool_or(NOT read_only), false) AS writable
  FROM volumes
  LEFT JOIN mounts ON mounts.cluster = volumes.cluster AND mounts.event_id = volumes.event_id AND mounts.volume = volumes.name
  GROUP BY volumes.cluster, volumes.event_id, volumes.name, type, host_path
),
strange AS (
  SELECT DISTINCT cluster, event_id
  FROM (
    SELECT
      volume.cluster, volume.event_id, type, host_path,
      bool_or(listed.path IS NOT NULL AND (NOT volume.writable OR listed.writable = 'yes')) AS is_listed
    FROM volume
    LEFT JOIN products ON products.cluster = volume.cluster AND products.event_id = volume.event_id
    LEFT JOIN platform_agent_paths AS listed
      ON listed.product = products.product
      AND (host_path = listed.path OR (listed.path <> '/' AND starts_with(host_path, concat(listed.path, '/'))))
    GROUP BY volume.cluster, volume.event_id, type, host_path
  )
  WHERE coalesce(type, '') NOT IN ('hostPath', 'configMap', 'secret', 'emptyDir', 'projected', 'downwardAPI')
    OR (type = 'hostPath' AND NOT coalesce(is_listed, false))
)
SELECT shown.cluster, shown.event_id, shown.kind
FROM shown
JOIN judged ON judged.cluster = shown.cluster AND judged.event_id = shown.event_id
LEFT ANTI JOIN handled ON handled.cluster = shown.cluster AND handled.event_id = shown.event_id AND handled.foreign_handler
LEFT ANTI JOIN covered ON covered.cluster = shown.cluster AND covered.event_id = shown.event_id
LEFT ANTI JOIN strange ON strange.cluster = shown.cluster AND strange.event_id = shown.event_id
LEFT ANTI JOIN code_loading_env AS loads ON loads.cluster = shown.cluster AND loads.event_id = shown.event_id
WHERE judged.listed AND NOT coalesce(shown.host_ipc, false) AND (may_see_processes OR NOT coalesce(shown.host_pid, false))
