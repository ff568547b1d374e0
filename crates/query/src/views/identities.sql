-- One row per user name and cluster, with its activity in the scope. `hours` are hours of the day in UTC; `resources`
-- are written as in RBAC rules, such as `pods/exec`.
SELECT
  cluster, username, identity_kind,
  min(time) AS first_seen,
  max(time) AS last_seen,
  count(*) AS requests,
  count(*) FILTER (WHERE outcome IN ('denied_authn', 'denied_authz', 'denied_admission')) AS denied,
  array_agg(DISTINCT verb ORDER BY verb) FILTER (WHERE verb IS NOT NULL) AS verbs,
  array_agg(DISTINCT rule_resource ORDER BY rule_resource) FILTER (WHERE rule_resource IS NOT NULL) AS resources,
  array_agg(DISTINCT namespace ORDER BY namespace) FILTER (WHERE namespace IS NOT NULL) AS namespaces,
  array_agg(DISTINCT client_ip ORDER BY client_ip) FILTER (WHERE client_ip IS NOT NULL) AS client_ips,
  array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS user_agents,
  array_agg(DISTINCT hour ORDER BY hour) AS hours,
  count(*) FILTER (WHERE writes_workload) AS workload_writes
FROM (
  SELECT
    cluster, username, identity_kind, time, outcome, verb, namespace, client_ip, user_agent,
    CASE WHEN resource IS NOT NULL THEN concat_ws('/', resource, subresource) END AS rule_resource,
    CAST(date_part('hour', time) AS INT) AS hour,
    activity = 'workload' AND outcome = 'allowed' AND (subresource IS NULL OR subresource = 'ephemeralcontainers')
      AS writes_workload
  FROM events
)
GROUP BY cluster, username, identity_kind
