/*
id: denied-burst-from-public-address
title: Burst of denied requests from a public address
severity: low
confidence: medium
risk: 10
attack: [T1613, T1595, T1110]
tactics: [Discovery, Reconnaissance]
description: An address outside private networks gets many denied requests within half an hour.
blind_spots: Addresses hidden behind a load balancer.
false_positives:
  - Clusters whose people and programs connect from the internet
triage:
  - SELECT time, verb, request_uri, outcome, user_agent FROM events WHERE client_ip = '<ip>' ORDER BY time
  - SELECT time, verb, request_uri FROM events WHERE identity_kind = 'anonymous' AND outcome = 'allowed' ORDER BY time
  - SELECT time, username, name, subject_name, role_name FROM bindings WHERE subject_name IN ('system:anonymous', 'system:unauthenticated') ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1595/
covers: [DI-005]
parameters:
  requests:
    type: integer
    default: 10
    description: Minimum number of denied requests
*/
WITH refused AS (
  SELECT event_id, cluster, username, client_ip, time, resource, request_uri
  FROM events
  WHERE outcome IN ('denied_authn', 'denied_authz') AND client_ip IS NOT NULL
    AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
    AND NOT regexp_like(client_ip,
      '^(::ffff:)?(127|10|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.|^(::1$|f[cd]|fe[89ab])', 'i')
),
-- A sliding window that begins at any of the requests, not a calendar interval.
windows AS (
  SELECT
    *,
    count(*) OVER (PARTITION BY cluster, client_ip ORDER BY time RANGE BETWEEN CURRENT ROW AND INTERVAL '30 minutes' FOLLOWING) >= $requests AS begins_one
  FROM refused
),
of_windows AS (
  SELECT
    *,
    max(CASE WHEN begins_one THEN 1 ELSE 0 END) OVER (
      PARTITION BY cluster, client_ip ORDER BY time RANGE BETWEEN INTERVAL '30 minutes' PRECEDING AND CURRENT ROW
    ) = 1 AS is_in_one
  FROM windows
),
spaced AS (
  SELECT
    *,
    CASE
      WHEN date_part('epoch', time) - date_part('epoch', lag(time) OVER (PARTITION BY cluster, client_ip ORDER BY time, event_id)) <= 1800
      THEN 0 ELSE 1
    END AS begins
  FROM of_windows
  WHERE is_in_one
),
episodes AS (
  SELECT *, sum(begins) OVER (PARTITION BY cluster, client_ip ORDER BY time, event_id) AS episode FROM spaced
)
SELECT
  array_slice(array_agg(event_id ORDER BY time), 1, 50) AS event_id,
  client_ip || ' had ' || count(*) || ' requests denied within 30 minutes: '
    || array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(resource, split_part(request_uri, '?', 1)))), 1, 10), ', ') AS reason
FROM episodes
GROUP BY cluster, client_ip, episode
