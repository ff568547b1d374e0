-- One row per request on Secrets, including reads; writes show the type and the keys. `name` is null for lists.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, subresource, namespace, name, outcome, status_code, level,
  secret['body_source'] AS body_source,
  secret['type'] AS type,
  secret['service_account_name'] AS service_account_name,
  secret['keys'] AS keys,
  created
FROM events
WHERE activity = 'secret'
