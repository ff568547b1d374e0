/*
id: denied-sweep
title: Burst of different denied requests
severity: medium
confidence: medium
risk: 35
attack: [T1613, T1069]
tactics: [Discovery]
description: >-
  An identity gets many different requests denied: several kinds of resources or namespaces within seconds, each once or
  a few times. Programs that lack a permission repeat the same request for one kind; this pattern explores the limits of
  a credential. Similar requests allowed in the same period are part of the finding.
blind_spots: Slow sweeps, sweeps by name only, and sweeps repeated often.
false_positives:
  - Consoles of people with few permissions
  - Operators with missing permissions, at their first start
references:
  - https://attack.mitre.org/techniques/T1613/
covers: [DI-003]
parameters:
  targets:
    type: integer
    default: 6
    description: Minimum number of different denied targets
  pause_seconds:
    type: integer
    default: 15
    description: Pause that ends an episode
  repeats:
    type: integer
    default: 3
    description: A target denied more often than this belongs to a program that retries
*/
WITH denied AS (
  SELECT
    event_id, cluster, coalesce(impersonated_username, username) AS identity, verb, api_group, resource, subresource,
    namespace, time, in_scope
  FROM all_events
  WHERE outcome = 'denied_authz' AND resource IS NOT NULL AND identity_kind IN ('human', 'service_account', 'cloud_service_account')
),
asked AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY cluster, identity, verb, api_group, resource, subresource, namespace ORDER BY time, event_id
    ) AS nth,
    count(*) OVER (PARTITION BY cluster, identity, verb, api_group, resource, subresource, namespace) AS times
  FROM denied
),
episodes AS (
  SELECT *, session_number(time, $pause_seconds) OVER (PARTITION BY cluster, identity ORDER BY time, event_id) AS episode
  FROM asked
  WHERE nth = 1 AND in_scope AND times <= $repeats
),
counted AS (
  SELECT *, count(*) OVER (PARTITION BY cluster, identity, episode, resource) AS same_resource FROM episodes
),
sweeps AS (
  SELECT
    cluster, identity, episode,
    min(time) AS begin,
    max(time) AS end,
    count(*) AS targets,
    array_agg(DISTINCT resource) AS resources,
    count(DISTINCT namespace) AS namespaces
  FROM counted
  GROUP BY cluster, identity, episode
  -- An exploring identity has at least three targets besides the kind that it tried most.
  HAVING count(*) >= $targets AND count(*) - max(same_resource) >= 3
),
successes AS (
  SELECT event_id, cluster, coalesce(impersonated_username, username) AS identity, resource, time
  FROM events
  WHERE outcome = 'allowed' AND resource IS NOT NULL AND subresource IS NULL AND verb IN ('get', 'list')
    AND identity_kind IN ('human', 'service_account', 'cloud_service_account')
),
evidence AS (
  SELECT episodes.cluster, episodes.identity, episodes.episode, event_id, time, false AS allowed
  FROM episodes
  JOIN sweeps USING (cluster, identity, episode)
  UNION ALL
  SELECT sweeps.cluster, sweeps.identity, episode, event_id, time, true AS allowed
  FROM successes
  JOIN sweeps ON successes.cluster = sweeps.cluster AND successes.identity = sweeps.identity
  WHERE array_has(resources, resource)
    AND time >= begin AND date_diff('second', sweeps.end, time) <= $pause_seconds
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  evidence.identity || ' had ' || min(targets) || ' different requests denied within '
    || date_diff('second', min(begin), min(sweeps.end)) || ' seconds ('
    || array_to_string(array_sort(first_value(resources)), ', ') || '; ' || min(namespaces) || ' namespaces), and '
    || sum(CASE WHEN allowed THEN 1 ELSE 0 END) || ' similar ones allowed' AS reason
FROM evidence
JOIN sweeps USING (cluster, identity, episode)
GROUP BY evidence.cluster, evidence.identity, evidence.episode
