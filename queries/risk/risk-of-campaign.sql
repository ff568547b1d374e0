/*
id: risk-of-campaign
title: Combined findings across identities, days or clusters
severity: high
confidence: medium
risk: 0
attack: [T1610, T1078]
tactics: [Execution, Privilege Escalation, Stealth]
input: facts
description: >-
  Significant findings are added up over two weeks and over all identities that the log links: the same user in several
  clusters, one credential, one client at a rarely shared address, an impersonated user, an account whose token was
  requested, or a created account used from a shell. Each detection counts once. Findings of a single session of one
  identity are left to risk-of-identity. To stay below the threshold, an attacker needs another credential at another
  address for every few steps, or more than two weeks.
blind_spots: Identities that nothing in the log links. Findings that exceptions lower, and everyday work.
false_positives:
  - Teams that set up or repair a cluster from one workstation
triage:
  - >-
    SELECT username, client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY username, client_ip, user_agent ORDER BY first
  - >-
    SELECT time, cluster, username, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
  - SELECT * FROM grants WHERE subject_name = '<identity>' OR granted_by = '<identity>'
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [T1610-risk]
controls: [IAM-16]
parameters:
  least: {type: integer, default: 20, description: Minimum points of a finding that counts}
  high: {type: integer, default: 130, description: Points for severity high}
  critical: {type: integer, default: 400, description: Points for severity critical}
  shared_by: {type: integer, default: 8, description: Number of users above which a client at one address links no identities}
*/
-- The points of a finding are those of its detection, but at most 5 for info, 15 for low and 45 for medium: a detection
-- may report several severities.
WITH acts AS (
  SELECT
    facts.event_id, facts.time, facts.cluster, detection, title, risk, severity IN ('info', 'low') AS is_low,
    coalesce(event.impersonated_username, event.username) AS identity,
    -- Names that installers assign belong to a different credential in each cluster.
    CASE WHEN event.identity_kind = 'human' AND default_admins.name IS NULL THEN 'user ' || event.username
      WHEN event.identity_kind <> 'anonymous' THEN 'user ' || facts.cluster || ' ' || event.username END AS user_key,
    'user ' || facts.cluster || ' ' || event.impersonated_username AS impersonated_key,
    'credential ' || event.token_credential_id AS credential_key,
    'client ' || event.client_ip || ' ' || event.user_agent AS client_key,
    CASE WHEN event.identity_kind = 'service_account' AND client_tools.kind IS NOT NULL
      THEN 'account ' || facts.cluster || ' ' || event.username END AS account_key
  FROM (
    SELECT
      event_id, time, cluster, detection, title, severity,
      least(risk, CASE severity WHEN 'info' THEN 5 WHEN 'low' THEN 15 WHEN 'medium' THEN 45 ELSE risk END) AS risk
    FROM facts
  ) AS facts
  JOIN (
    SELECT event_id, cluster, username, impersonated_username, identity_kind, client_ip, user_agent, token_credential_id
    FROM events
    WHERE identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous', 'system')
  ) AS event ON event.cluster = facts.cluster AND event.event_id = facts.event_id
  LEFT JOIN client_tools ON client_tools.tool = lower(user_agent_tool(event.user_agent))
  LEFT JOIN default_admins ON default_admins.kind = 'user' AND default_admins.name = event.username
  WHERE risk >= $least
),
crowded AS (
  SELECT 'client ' || client_ip || ' ' || user_agent AS client
  FROM (SELECT DISTINCT client_ip, user_agent, username FROM events WHERE identity_kind IN ('human', 'service_account', 'cloud_service_account'))
  GROUP BY client_ip, user_agent
  HAVING count(*) > $shared_by
),
-- The creator of a token or an account, and what was created.
made AS (
  SELECT user_key, key
  FROM (
    SELECT
      CASE WHEN identity_kind = 'human' AND default_admins.name IS NULL THEN 'user ' || username ELSE 'user ' || cluster || ' ' || username END AS user_key,
      unnest(make_array(
        'credential ' || annotations['authentication.kubernetes.io/issued-credential-id'],
        'account ' || cluster || ' system:serviceaccount:' || namespace || ':' || events.name
      )) AS key
    FROM events
    LEFT JOIN default_admins ON default_admins.kind = 'user' AND default_admins.name = username
    WHERE created AND resource = 'serviceaccounts' AND activity IN ('access', 'rbac')
      AND identity_kind IN ('human', 'service_account', 'cloud_service_account') AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
  )
  WHERE key IS NOT NULL
  GROUP BY user_key, key
),
-- An account whose tokens several people request is a shared tool.
own AS (
  SELECT key FROM made GROUP BY key HAVING count(DISTINCT user_key) = 1
),
links AS (
  SELECT DISTINCT one, other
  FROM (
    SELECT coalesce(user_key, client_key) AS one, unnest(make_array(user_key, impersonated_key, credential_key, account_key,
      CASE WHEN crowded.client IS NULL THEN client_key END)) AS other
    FROM acts
    LEFT JOIN crowded ON crowded.client = client_key
    UNION ALL
    SELECT user_key AS one, made.key AS other FROM made JOIN own ON own.key = made.key
  )
  WHERE one IS NOT NULL AND other IS NOT NULL
),
-- The smallest name among identities that share something, then the smallest of those.
near AS (
  SELECT one, min(shared.least) AS hand
  FROM links
  JOIN (SELECT other, min(one) AS least FROM links GROUP BY other) AS shared ON shared.other = links.other
  GROUP BY one
),
hands AS (
  SELECT links.one, min(shared.least) AS hand
  FROM links
  JOIN (
    SELECT links.other, min(near.hand) AS least FROM links JOIN near ON near.one = links.one GROUP BY links.other
  ) AS shared ON shared.other = links.other
  GROUP BY links.one
),
-- One event of each cluster that a detection reports is evidence.
of_clusters AS (
  SELECT
    hand, period, acts.detection, cluster, min(title) AS title, max(risk) AS risk, min(time) AS time, max(time) AS last,
    first_value(event_id ORDER BY is_low, time, event_id) AS event_id, bool_and(is_low) AS is_low,
    array_agg(DISTINCT identity) AS identities
  FROM (
    -- Two rows of periods that overlap by half: any week lies within one of them.
    SELECT acts.*, hand, unnest(make_array(
      floor(date_part('epoch', time) / 1209600) * 2, floor((date_part('epoch', time) + 604800) / 1209600) * 2 + 1)) AS period
    FROM acts
    JOIN hands ON hands.one = coalesce(user_key, client_key)
  ) AS acts
  GROUP BY hand, period, acts.detection, cluster
),
points AS (
  SELECT
    hand, period, detection, min(title) AS title, max(risk) AS risk, min(time) AS time, max(last) AS last,
    array_agg(event_id ORDER BY time, event_id) AS event_ids, bool_and(is_low) AS is_low,
    flatten(array_agg(identities)) AS identities, array_agg(DISTINCT cluster) AS clusters
  FROM of_clusters
  GROUP BY hand, period, detection
),
campaigns AS (
  SELECT
    hand, period,
    -- Everyday work has weight by itself, but does not corroborate other findings.
    coalesce(
      flatten(array_agg(event_ids ORDER BY time, detection) FILTER (WHERE NOT is_low)),
      flatten(array_agg(event_ids ORDER BY time, detection))
    ) AS event_ids,
    sum(risk) AS points,
    string_agg('+' || risk || ' ' || title, ', ' ORDER BY risk DESC, title) AS what,
    array_sort(array_distinct(flatten(array_agg(identities)))) AS identities,
    array_sort(array_distinct(flatten(array_agg(clusters)))) AS clusters,
    max(last) - min(time) > INTERVAL '1 hour' AS is_long,
    count(*) AS detections
  FROM points
  GROUP BY hand, period
)
SELECT
  event_ids AS event_id,
  CASE WHEN max(points) >= $critical THEN 'critical' ELSE 'high' END AS severity,
  max(points) AS risk,
  max(points) || ' points for linked identities ' || array_to_string(min(identities), ', ')
    || CASE WHEN cardinality(min(clusters)) > 1 THEN ' in ' || array_to_string(min(clusters), ', ') ELSE '' END
    || ': ' || min(what) AS reason
FROM campaigns
WHERE points >= $high AND detections > 2
  AND (is_long OR cardinality(identities) > 1 OR cardinality(clusters) > 1)
GROUP BY event_ids
