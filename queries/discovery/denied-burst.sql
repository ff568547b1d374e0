/*
id: denied-burst
aliases: [denied-burst-from-public-address]
title: Burst of denied requests
severity: low
confidence: medium
risk: 12
attack: [T1613, T1110, T1595]
tactics: [Discovery, Credential Access, Reconnaissance]
description: >-
  An identity, or an address with invalid credentials, gets many denied requests within five minutes, or an address
  outside private networks within half an hour.
blind_spots: Slow attempts. Addresses hidden behind a load balancer.
false_positives:
  - Programs whose permissions or credentials are missing or expired
  - Clusters whose people and programs connect from the internet
triage:
  - SELECT time, verb, request_uri, outcome, user_agent FROM events WHERE client_ip = '<ip>' ORDER BY time
  - >-
    SELECT time, verb, request_uri FROM events WHERE identity_kind = 'anonymous' AND outcome = 'allowed' ORDER BY time
  - >-
    SELECT time, username, name, subject_name, role_name FROM bindings WHERE subject_name IN ('system:anonymous', 'system:unauthenticated') ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1613/
  - https://attack.mitre.org/techniques/T1595/
covers: [DI-009, DI-005]
parameters:
  requests:
    type: integer
    default: 10
    description: Minimum number of denied requests
*/
WITH refused AS (
  SELECT
    event_id, cluster, username, client_ip, time, resource, request_uri,
    NOT coalesce(regexp_like(client_ip,
      '^(::ffff:)?(127|10|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.|^(::1$|f[cd]|fe[89ab])', 'i'), true) AS is_public
  FROM events
  WHERE outcome IN ('denied_authn', 'denied_authz')
    AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
),
-- Sliding windows that begin at any of the requests, not calendar intervals.
windows AS (
  SELECT
    *,
    count(*) OVER (PARTITION BY cluster, username, client_ip ORDER BY time RANGE BETWEEN CURRENT ROW AND INTERVAL '5 minutes' FOLLOWING) >= $requests AS begins_one,
    is_public AND count(*) OVER (PARTITION BY cluster, client_ip ORDER BY time RANGE BETWEEN CURRENT ROW AND INTERVAL '30 minutes' FOLLOWING) >= $requests AS begins_public
  FROM refused
),
bursts AS (
  SELECT
    *,
    max(CASE WHEN begins_one THEN 1 ELSE 0 END) OVER (PARTITION BY cluster, username, client_ip ORDER BY time RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW) = 1 AS is_in_one,
    max(CASE WHEN begins_public THEN 1 ELSE 0 END) OVER (PARTITION BY cluster, client_ip ORDER BY time RANGE BETWEEN INTERVAL '30 minutes' PRECEDING AND CURRENT ROW) = 1 AS is_in_public
  FROM windows
),
sessions AS (
  SELECT *, session_number(time, 1800) OVER (PARTITION BY cluster, username, client_ip ORDER BY time, event_id) AS session
  FROM (
    -- Several identities at one public address count together.
    SELECT event_id, time, cluster, CASE WHEN is_in_public THEN NULL ELSE username END AS username, client_ip, resource, request_uri, is_in_public
    FROM bursts
    WHERE is_in_one OR is_in_public
  )
)
SELECT
  array_slice(array_agg(event_id ORDER BY time), 1, 50) AS event_id,
  coalesce(username, client_ip, 'an unknown identity') || ' had ' || count(*) || ' requests denied within ' || CASE WHEN is_in_public THEN 30 ELSE 5 END || ' minutes: '
    || array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(resource, split_part(request_uri, '?', 1)))), 1, 10), ', ') AS reason
FROM sessions
GROUP BY cluster, username, client_ip, is_in_public, session
