-- One row per write of a PersistentVolume.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, subresource, namespace, name, outcome, status_code, level,
  persistent_volume['body_source'] AS body_source,
  persistent_volume['type'] AS type,
  persistent_volume['host_path'] AS host_path,
  persistent_volume['host_path_raw'] AS host_path_raw,
  persistent_volume['claim_namespace'] AS claim_namespace,
  persistent_volume['claim_name'] AS claim_name,
  persistent_volume['storage_class'] AS storage_class,
  persistent_volume['driver'] AS driver,
  persistent_volume['source'] AS source,
  created
FROM events
WHERE activity = 'write' AND resource = 'persistentvolumes' AND subresource IS NULL
