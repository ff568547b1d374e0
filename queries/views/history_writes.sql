-- Workload writes by people and accounts, of the scope and of the look-back, each with the effective identity.
SELECT
  event_id, time, cluster, identity_kind, coalesce(impersonated_username, username) AS identity, client_ip,
  lower(user_agent_tool(user_agent)) AS client, verb, kind, resource, subresource, namespace, name, object,
  object_uid, service_account_name, pod_security_level, containers, volumes, created, in_scope
FROM all_workloads
WHERE outcome = 'allowed' AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
  AND (subresource IS NULL OR subresource = 'ephemeralcontainers')
