/*
title: Identities used from more than one address
description: >-
  Client addresses of each identity other than its usual one, which is the address of its first request. Other identities
  at an address are its other users, or show a gateway.
parameters:
  kinds: {type: text_list, description: 'Kinds of identities', default: [human, service_account, anonymous]}
*/
WITH uses AS (
  SELECT
    cluster, username, identity_kind, client_ip, min(time) AS first_seen, max(time) AS last_seen, count(*) AS requests,
    count(*) FILTER (WHERE starts_with(outcome, 'denied')) AS denied,
    count(*) FILTER (WHERE activity = 'workload') AS workload_writes,
    array_agg(DISTINCT user_agent ORDER BY user_agent) AS user_agents
  FROM events
  WHERE client_ip IS NOT NULL
  GROUP BY cluster, username, identity_kind, client_ip
),
ranked AS (
  SELECT
    *,
    first_value(client_ip) OVER (PARTITION BY cluster, username ORDER BY first_seen, client_ip) AS usual_client_ip
  FROM uses
),
users AS (
  SELECT cluster, client_ip, array_agg(DISTINCT username ORDER BY username) AS usernames FROM uses GROUP BY cluster, client_ip
)
SELECT
  ranked.username, ranked.identity_kind, ranked.client_ip, usual_client_ip, first_seen, last_seen, requests, denied,
  workload_writes, user_agents, array_remove(usernames, ranked.username) AS other_usernames, ranked.cluster
FROM ranked
JOIN users ON users.cluster = ranked.cluster AND users.client_ip = ranked.client_ip
WHERE ranked.client_ip <> usual_client_ip AND array_has($kinds, identity_kind)
ORDER BY ranked.first_seen, ranked.username, ranked.client_ip
