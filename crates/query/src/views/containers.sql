-- One row per container of a workload write. `name` is the name of the container, `workload_name` that of the
-- workload.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, api_group, resource, subresource, namespace, workload_name, outcome, made_by_controller, kind, object, body_source,
  container['role'] AS role,
  container['name'] AS name,
  container['image'] AS image,
  container['registry'] AS registry,
  container['repository'] AS repository,
  container['tag'] AS tag,
  container['digest'] AS digest,
  container['image_pull_policy'] AS image_pull_policy,
  container['command'] AS command,
  container['args'] AS args,
  container['working_dir'] AS working_dir,
  container['handlers'] AS handlers,
  container['stdin'] AS stdin,
  container['tty'] AS tty,
  container['privileged'] AS privileged,
  container['allow_privilege_escalation'] AS allow_privilege_escalation,
  container['capabilities_add'] AS capabilities_add,
  container['capabilities_drop'] AS capabilities_drop,
  container['run_as_user'] AS run_as_user,
  container['run_as_non_root'] AS run_as_non_root,
  container['read_only_root_filesystem'] AS read_only_root_filesystem,
  container['proc_mount'] AS proc_mount,
  container['seccomp_profile'] AS seccomp_profile,
  container['app_armor_profile'] AS app_armor_profile,
  container['host_process'] AS host_process,
  container['ports'] AS ports,
  container['volume_mounts'] AS volume_mounts,
  container['env'] AS env,
  container['env_from_secrets'] AS env_from_secrets,
  container['limits'] AS limits,
  container['requests'] AS requests,
  container['target_container_name'] AS target_container_name,
  created,
  nullif(concat_ws(' ', array_to_string(container['command'], ' '), array_to_string(container['args'], ' ')), '') AS command_line
FROM (
  SELECT *, name AS workload_name, unnest(containers) AS container
  FROM workloads
)
