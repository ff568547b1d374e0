/*
id: pod-burst
title: Burst of single pods or jobs
severity: medium
confidence: medium
risk: 40
attack: [T1610, T1496]
tactics: [Impact, Execution]
description: >-
  An identity creates many single pods or jobs in one namespace within seconds, as a cryptominer, a worm or faulty
  automation does. Accounts that created about as many before are part of the baseline.
blind_spots: Deployments with many replicas. Slow creation, and bursts across namespaces.
false_positives:
  - Load tests and batch runs started by people
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-009]
controls: [AIS-06]
parameters:
  objects:
    type: integer
    default: 20
    description: Minimum number of objects within a minute
  pause_seconds:
    type: integer
    default: 10
    description: Pause that ends an episode
*/
WITH pods AS (
  SELECT *, sum(CASE WHEN in_scope THEN 0 ELSE 1 END) OVER (PARTITION BY cluster, identity) AS before
  FROM history_writes
  WHERE created AND subresource IS NULL AND kind IN ('Pod', 'Job')
),
episodes AS (
  SELECT *, session_number(time, $pause_seconds) OVER (PARTITION BY cluster, identity, namespace, before ORDER BY time, event_id) AS episode
  FROM pods
  WHERE in_scope
),
-- An episode may be long. It counts if that many objects fall within the window.
dense AS (
  SELECT
    cluster, identity, namespace, episode, identity_kind, before,
    array_agg(event_id ORDER BY time) AS events,
    array_agg(DISTINCT name ORDER BY name) AS names,
    count(*) AS objects,
    date_diff('millisecond', min(time), max(time)) / 1000.0 AS seconds
  FROM episodes
  GROUP BY cluster, identity, namespace, episode, identity_kind, before
)
SELECT
  events AS event_id,
  coalesce(identity, 'an unknown identity') || ' creates ' || objects || ' single pods or jobs in ' || coalesce(namespace, 'no namespace')
    || ' within ' || CAST(round(seconds) AS BIGINT) || ' s' || coalesce(', such as ' || names[1], '') AS reason
FROM dense
WHERE objects >= $objects AND objects * 60 >= $objects * seconds
  -- Automation that does so every day.
  AND (identity_kind <> 'service_account' OR before < objects)
