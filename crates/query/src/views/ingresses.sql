-- One row per write of an Ingress.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, subresource, namespace, name, outcome, status_code, level,
  ingress['body_source'] AS body_source,
  ingress['hosts'] AS hosts,
  ingress['tls_hosts'] AS tls_hosts,
  ingress['has_tls'] AS has_tls,
  ingress['backend_services'] AS backend_services,
  created
FROM events
WHERE activity = 'write' AND resource = 'ingresses' AND subresource IS NULL
