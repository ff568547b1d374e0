-- One row per write of a Service.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, subresource, namespace, name, outcome, status_code, level,
  service['body_source'] AS body_source,
  service['type'] AS type,
  service['cluster_ip'] AS cluster_ip,
  service['external_ips'] AS external_ips,
  service['external_name'] AS external_name,
  service['load_balancer_source_ranges'] AS load_balancer_source_ranges,
  service['ports'] AS ports,
  service['selector'] AS selector,
  created
FROM events
WHERE activity = 'write' AND resource = 'services' AND api_group IS NULL AND subresource IS NULL
