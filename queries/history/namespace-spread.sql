/*
id: namespace-spread
title: Workloads in many namespaces new to the identity
severity: low
confidence: medium
risk: 15
attack: [T1610]
tactics: [Execution, Lateral Movement]
description: >-
  An identity creates workloads in several namespaces within a short time, and has never written a workload in any of
  them before.
blind_spots: Activity before the log begins.
false_positives:
  - Platform engineers and new automation that roll out software
triage:
  - >-
    SELECT username, first_seen, last_seen, requests, denied, hours, namespaces FROM identities WHERE username = '<identity>'
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-010]
controls: [AIS-06]
parameters:
  namespaces:
    type: integer
    default: 5
    description: Minimum number of namespaces
  pause_seconds:
    type: integer
    default: 120
    description: Pause that ends an episode
  within_seconds:
    type: integer
    default: 1800
    description: Maximum duration of an episode
  learning_seconds:
    type: integer
    default: 120
    description: How long the log must run before a namespace counts as new
*/
WITH numbered AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY cluster, identity, namespace ORDER BY time, event_id) AS nth,
    row_number() OVER (PARTITION BY cluster, identity ORDER BY time, event_id) AS nth_write
  FROM history_writes
  WHERE namespace IS NOT NULL
),
episodes AS (
  SELECT *, session_number(time, $pause_seconds) OVER (PARTITION BY cluster, identity ORDER BY time, event_id) AS episode
  FROM numbered
  JOIN history_begins USING (cluster)
  WHERE nth = 1 AND in_scope AND created AND date_diff('second', log_begins, time) >= $learning_seconds
),
counted AS (
  SELECT
    cluster, identity,
    array_agg(event_id ORDER BY time) AS events,
    array_agg(namespace ORDER BY time) AS namespaces,
    date_diff('second', min(time), max(time)) AS seconds
  FROM episodes
  GROUP BY cluster, identity, episode
)
SELECT
  events AS event_id,
  identity || ' creates workloads in ' || cardinality(namespaces) || ' namespaces new to this identity: '
    || array_to_string(array_slice(namespaces, 1, 8), ', ') AS reason
FROM counted
WHERE cardinality(namespaces) >= $namespaces AND seconds <= $within_seconds
