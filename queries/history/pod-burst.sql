/*
id: pod-burst
title: Burst of single pods or jobs
severity: medium
confidence: medium
risk: 40
attack: [T1610, T1496]
tactics: [Impact, Execution]
description: >-
  Somebody creates many single pods or jobs in one namespace within seconds: what a miner or a worm does, or a
  robot that runs wild. Accounts that have created about as many before are known by their history.
blind_spots: >-
  Deployments with many replicas; slow creation, and bursts over several namespaces.
false_positives:
  - Load tests and batch runs that people start
triage:
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, verb, object, outcome FROM workloads WHERE namespace = '<namespace>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-009]
controls: [AIS-06]
parameters:
  objects:
    type: integer
    default: 20
    description: How many objects within a minute
  pause_seconds:
    type: integer
    default: 10
    description: How long a pause ends an episode
*/
WITH pods AS (
  SELECT *, sum(CASE WHEN in_scope THEN 0 ELSE 1 END) OVER (PARTITION BY cluster, identity) AS before
  FROM history_writes
  WHERE created AND subresource IS NULL AND kind IN ('Pod', 'Job')
),
spaced AS (
  SELECT
    *,
    CASE
      WHEN date_part('epoch', time) - date_part('epoch', lag(time) OVER (PARTITION BY cluster, identity, namespace, before ORDER BY time, event_id)) <= $pause_seconds
      THEN 0 ELSE 1
    END AS begins
  FROM pods WHERE in_scope
),
episodes AS (
  SELECT *, sum(begins) OVER (PARTITION BY cluster, identity, namespace, before ORDER BY time, event_id) AS episode FROM spaced
),
-- An episode may be long; what counts is whether as many as that came within the window.
dense AS (
  SELECT
    cluster, identity, namespace, episode, identity_kind, before,
    array_agg(event_id ORDER BY time) AS events,
    array_agg(DISTINCT name ORDER BY name) AS names,
    count(*) AS objects,
    date_part('epoch', max(time)) - date_part('epoch', min(time)) AS seconds
  FROM episodes
  GROUP BY cluster, identity, namespace, episode, identity_kind, before
)
SELECT
  events AS event_id,
  coalesce(identity, 'somebody') || ' creates ' || objects || ' single pods or jobs in ' || coalesce(namespace, 'no namespace')
    || ' within ' || CAST(round(seconds) AS BIGINT) || ' s' || coalesce(', such as ' || names[1], '') AS reason
FROM dense
WHERE objects >= $objects AND objects * 60 >= $objects * seconds
  -- Robots that do so every day.
  AND (identity_kind <> 'service_account' OR before < objects)
