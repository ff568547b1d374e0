/*
id: denied-burst
title: Burst of denied requests
severity: low
confidence: medium
risk: 8
attack: [T1613, T1110]
tactics: [Discovery, Credential Access]
description: An identity, or an address with invalid credentials, gets many denied requests within five minutes.
blind_spots: >-
  Slow attempts.
false_positives:
  - Programs whose permissions or credentials are missing or expired
triage:
  - SELECT time, verb, resource, subresource, namespace, name, outcome, user_agent, client_ip FROM events WHERE username = '<identity>' ORDER BY time
  - SELECT DISTINCT client_ip, user_agent, min(time) OVER (PARTITION BY client_ip, user_agent) AS since FROM events WHERE username = '<identity>'
  - SELECT time, verb, resource, namespace, name FROM events WHERE username = '<identity>' AND outcome = 'allowed' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1613/
covers: [DI-009]
parameters:
  requests:
    type: integer
    default: 10
    description: Minimum number of denied requests
*/
WITH refused AS (
  SELECT event_id, cluster, username, client_ip, time, resource, request_uri
  FROM events
  WHERE outcome IN ('denied_authn', 'denied_authz')
    AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
),
-- A sliding window that begins at any of the requests, not a calendar interval.
windows AS (
  SELECT
    *,
    count(*) OVER (PARTITION BY cluster, username, client_ip ORDER BY time RANGE BETWEEN CURRENT ROW AND INTERVAL '5 minutes' FOLLOWING) >= $requests AS begins_one
  FROM refused
),
of_windows AS (
  SELECT
    *,
    max(CASE WHEN begins_one THEN 1 ELSE 0 END) OVER (
      PARTITION BY cluster, username, client_ip ORDER BY time RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW
    ) = 1 AS is_in_one
  FROM windows
),
spaced AS (
  SELECT
    *,
    CASE
      WHEN date_part('epoch', time) - date_part('epoch', lag(time) OVER (PARTITION BY cluster, username, client_ip ORDER BY time, event_id)) <= 300
      THEN 0 ELSE 1
    END AS begins
  FROM of_windows
  WHERE is_in_one
),
episodes AS (
  SELECT *, sum(begins) OVER (PARTITION BY cluster, username, client_ip ORDER BY time, event_id) AS episode FROM spaced
)
SELECT
  array_slice(array_agg(event_id ORDER BY time), 1, 50) AS event_id,
  coalesce(username, client_ip, 'an unknown identity') || ' had ' || count(*) || ' requests denied within 5 minutes: '
    || array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(resource, split_part(request_uri, '?', 1)))), 1, 10), ', ') AS reason
FROM episodes
GROUP BY cluster, username, client_ip, episode
