/*
id: node-identity-elsewhere
title: Node credential used from a second address
severity: high
confidence: medium
risk: 60
attack: [T1078, T1552.004]
tactics: [Credential Access, Privilege Escalation]
description: >-
  A node that works from a private address also works from a public one, or from another address of the same family
  between its own requests. Its credential is used in two places. Addresses shared by many nodes belong to proxies and
  are left out. To avoid detection, an attacker must work on the node, or after it is permanently gone.
blind_spots: Attackers on the node itself. Clusters that see all nodes behind one proxy.
false_positives:
  - Nodes that temporarily use another network
triage:
  - >-
    SELECT time, verb, resource, namespace, name, outcome, user_agent FROM events WHERE username = '<identity>' AND client_ip = '<address>' ORDER BY time
  - SELECT username, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY username
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/node/
covers: [IA-004, CA-006]
controls: [IAM-16]
parameters:
  known_after: {type: integer, default: 10, description: Number of requests that make an address known}
  shared_by: {type: integer, default: 2, description: Number of nodes above which an address counts as a proxy}
*/
WITH addresses AS (
  SELECT
    cluster, username, client_ip, count(*) AS requests, min(time) AS first, max(time) AS last, bool_or(in_scope) AS in_scope,
    contains(client_ip, ':') AS is_v6
  FROM (
    SELECT cluster, username, client_ip, time, in_scope
    FROM all_events WHERE identity_kind = 'node' AND client_ip IS NOT NULL AND (outcome IS DISTINCT FROM 'denied_authn')
  )
  GROUP BY cluster, username, client_ip
),
nodes_of AS (
  SELECT cluster, client_ip, count(*) AS nodes FROM addresses GROUP BY cluster, client_ip
),
elsewhere AS (
  SELECT DISTINCT
    away.cluster, away.username, away.client_ip, home.client_ip AS home_ip,
    NOT is_private_ip(away.client_ip) AND is_private_ip(home.client_ip) AS is_public
  FROM addresses AS away
  JOIN addresses AS home ON home.cluster = away.cluster AND home.username = away.username
  JOIN nodes_of ON nodes_of.cluster = away.cluster AND nodes_of.client_ip = away.client_ip
  JOIN nodes_of AS of_home ON of_home.cluster = home.cluster AND of_home.client_ip = home.client_ip
  WHERE home.client_ip <> away.client_ip AND away.in_scope AND home.requests >= $known_after
    AND of_home.nodes <= $shared_by
    -- Nodes that change their route leave the first address; an attacker works in parallel.
    AND (nodes_of.nodes <= $shared_by OR (home.last > away.first AND NOT is_private_ip(away.client_ip) AND is_private_ip(home.client_ip)))
    AND ((NOT is_private_ip(away.client_ip) AND is_private_ip(home.client_ip) AND home.first < away.first)
      OR (home.is_v6 = away.is_v6 AND home.first < away.first AND home.last > away.last AND away.requests < home.requests / 5))
)
SELECT
  array_agg(event.event_id ORDER BY event.time, event.event_id) AS event_id,
  event.username || ' works from ' || event.client_ip || ' in addition to ' || min(home_ip) || ': ' || count(*) || ' requests' AS reason
FROM (SELECT event_id, time, cluster, username, client_ip FROM events WHERE identity_kind = 'node') AS event
JOIN (SELECT cluster, username, client_ip, min(home_ip) AS home_ip FROM elsewhere GROUP BY cluster, username, client_ip) AS elsewhere
  ON elsewhere.cluster = event.cluster AND elsewhere.username = event.username AND elsewhere.client_ip = event.client_ip
GROUP BY event.cluster, event.username, event.client_ip
