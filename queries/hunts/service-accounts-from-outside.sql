/*
title: Service accounts used from outside the cluster
description: >-
  Service accounts whose requests come from public addresses, or from outside a given network. Behind a load balancer or
  NAT, all clients have its address.
parameters:
  network: {type: text, description: 'Network of nodes and pods, such as 10.0.0.0/8; if empty, all private addresses are inside', default: ''}
*/
SELECT
  username, client_ip, min(time) AS first_seen, max(time) AS last_seen, count(*) AS requests,
  count(*) FILTER (WHERE outcome = 'allowed') AS allowed,
  array_agg(DISTINCT verb ORDER BY verb) AS verbs,
  array_agg(DISTINCT user_agent ORDER BY user_agent) AS user_agents,
  cluster
FROM events
WHERE identity_kind = 'service_account'
  AND CASE WHEN $network = '' THEN NOT is_private_ip(client_ip) ELSE NOT cidr_contains($network, client_ip) END
GROUP BY cluster, username, client_ip
ORDER BY first_seen, username
