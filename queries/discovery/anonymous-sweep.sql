/*
id: anonymous-sweep
title: Unauthenticated enumeration
severity: medium
confidence: medium
risk: 35
attack: [T1613, T1595]
tactics: [Discovery, Reconnaissance]
description: >-
  A client without credentials requests many different paths from one address within a short time, other than health and
  version paths: a scanner, or a person who looks for open endpoints.
blind_spots: >-
  Clients with invalid credentials, which are unauthenticated but not anonymous. Clusters without anonymous access.
false_positives:
  - Announced scans
triage:
  - SELECT time, verb, request_uri, outcome, user_agent FROM events WHERE client_ip = '<ip>' ORDER BY time
  - SELECT time, verb, request_uri FROM events WHERE identity_kind = 'anonymous' AND outcome = 'allowed' ORDER BY time
  - SELECT time, username, name, subject_name, role_name FROM bindings WHERE subject_name IN ('system:anonymous', 'system:unauthenticated') ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1595/
covers: [DI-004]
parameters:
  paths:
    type: integer
    default: 5
    description: Minimum number of different paths
  pause_seconds:
    type: integer
    default: 30
    description: Pause that ends an episode
*/
WITH asked AS (
  SELECT event_id, cluster, client_ip, coalesce(request_path(request_uri), request_uri) AS path, outcome, time
  FROM events
  WHERE identity_kind = 'anonymous' AND username IS NOT NULL
    AND NOT coalesce(regexp_like(request_path(request_uri), '^/(healthz|livez|readyz|version|favicon\.ico)(/|$)'), false)
),
spaced AS (
  SELECT
    *,
    CASE
      WHEN date_part('epoch', time)
        - date_part('epoch', lag(time) OVER (PARTITION BY cluster, client_ip ORDER BY time, event_id)) <= $pause_seconds
      THEN 0 ELSE 1
    END AS begins
  FROM asked
),
episodes AS (
  SELECT *, sum(begins) OVER (PARTITION BY cluster, client_ip ORDER BY time, event_id) AS episode FROM spaced
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  coalesce(client_ip, 'an unknown address') || ' requests ' || count(DISTINCT path)
    || ' different paths without credentials; allowed: ' || sum(CASE WHEN outcome = 'allowed' THEN 1 ELSE 0 END) AS reason
FROM episodes
GROUP BY cluster, client_ip, episode
HAVING count(DISTINCT path) >= $paths
