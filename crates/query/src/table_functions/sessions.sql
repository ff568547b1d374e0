-- The sessions of an identity: a pause longer than the interval (default: 30 minutes) starts a new session. `*` in
-- the identity matches any characters.
SELECT
  effective_username AS username,
  session,
  min(time) AS started,
  max(time) AS ended,
  count(*) AS requests,
  count(*) FILTER (WHERE outcome IN ('denied_authn', 'denied_authz', 'denied_admission')) AS denied,
  array_agg(DISTINCT verb ORDER BY verb) AS verbs,
  array_agg(DISTINCT concat_ws('/', resource, subresource) ORDER BY concat_ws('/', resource, subresource)) AS resources,
  array_agg(DISTINCT client_ip ORDER BY client_ip) AS client_ips,
  array_agg(DISTINCT user_agent_tool ORDER BY user_agent_tool) AS user_agent_tools,
  cluster
FROM (
  SELECT
    *,
    sum(begins) OVER (PARTITION BY cluster, effective_username ORDER BY time, event_id) AS session
  FROM (
    SELECT
      *,
      CASE
        WHEN lag(time) OVER (PARTITION BY cluster, effective_username ORDER BY time, event_id) + CAST($2 AS INTERVAL) >= time THEN 0
        ELSE 1
      END AS begins
    FROM events
    WHERE glob(effective_username, CAST($1 AS VARCHAR))
  )
)
GROUP BY cluster, effective_username, session
