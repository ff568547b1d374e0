-- One row per write of a ConfigMap.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, subresource, namespace, name, outcome, status_code, level,
  config_map['body_source'] AS body_source,
  config_map['keys'] AS keys,
  created
FROM events
-- A ConfigMap that contains a pod spec also counts as a workload.
WHERE activity IN ('write', 'workload') AND resource = 'configmaps'
