-- One row per volume of a workload write. `name` is the name of the volume, `workload_name` that of the workload.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, api_group, resource, subresource, namespace, workload_name, outcome, made_by_controller, kind, object, body_source,
  volume['name'] AS name,
  volume['type'] AS type,
  volume['host_path'] AS host_path,
  volume['host_path_raw'] AS host_path_raw,
  volume['host_path_type'] AS host_path_type,
  volume['secret_name'] AS secret_name,
  volume['config_map_name'] AS config_map_name,
  volume['claim_name'] AS claim_name,
  volume['driver'] AS driver,
  volume['image_reference'] AS image_reference,
  volume['projected_secrets'] AS projected_secrets,
  volume['projected_tokens'] AS projected_tokens,
  volume['source'] AS source,
  volume['git_directory'] AS git_directory,
  volume['claim_storage_class'] AS claim_storage_class,
  created
FROM (
  SELECT *, name AS workload_name, unnest(volumes) AS volume
  FROM workloads
)
