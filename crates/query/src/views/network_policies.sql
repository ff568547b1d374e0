-- One row per write of a NetworkPolicy.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, subresource, namespace, name, outcome, status_code, level,
  network_policy['body_source'] AS body_source,
  network_policy['policy_types'] AS policy_types,
  network_policy['selects_all'] AS selects_all,
  network_policy['allows_all'] AS allows_all,
  created
FROM events
WHERE activity = 'write' AND resource = 'networkpolicies'
