/*
id: workload-burst
title: Burst of workload writes by a person
severity: low
confidence: low
risk: 10
attack: [T1610, T1496]
tactics: [Impact, Execution]
description: >-
  A person creates many workloads of any kind within a minute, in any namespaces. This indicates a script run under a
  person's credential.
blind_spots: Automation. Slow creation.
false_positives:
  - Setup of an environment with kubectl apply -f or Helm
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-009]
controls: [AIS-06]
parameters:
  objects:
    type: integer
    default: 20
    description: Minimum number of workloads within a minute
  pause_seconds:
    type: integer
    default: 10
    description: Pause that ends an episode
*/
WITH episodes AS (
  SELECT *, session_number(time, $pause_seconds) OVER (PARTITION BY cluster, identity ORDER BY time, event_id) AS episode
  FROM history_steps
  WHERE identity_kind IN ('human', 'anonymous') AND step = 'created'
),
counted AS (
  SELECT
    cluster, identity,
    array_agg(event_id ORDER BY time) AS events,
    count(*) AS objects,
    count(DISTINCT namespace) AS namespaces,
    date_diff('millisecond', min(time), max(time)) / 1000.0 AS seconds
  FROM episodes
  GROUP BY cluster, identity, episode
)
SELECT
  events AS event_id,
  coalesce(identity, 'an unknown identity') || ' creates ' || objects || ' workloads in ' || namespaces || ' namespaces within '
    || CAST(round(seconds) AS BIGINT) || ' s' AS reason
FROM counted
WHERE objects >= $objects AND objects * 60 >= $objects * seconds
