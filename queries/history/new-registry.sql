/*
id: new-registry
title: Registry first seen
severity: low
confidence: medium
risk: 10
attack: [T1610, T1525]
tactics: [Execution, Persistence]
description: >-
  A workload takes an image from a registry that nobody has used in this log and its history. Clusters draw from
  a handful of registries; a new one is a new vendor or a stranger's.
blind_spots: >-
  What was used before the log begins and does not show since. Writes whose bodies are not logged.
false_positives:
  - New releases and new vendors
triage:
  - >-
    SELECT time, username, object, namespace, image FROM containers WHERE workload_name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, verb, object, outcome FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1525/
covers: [WS-003]
controls: [AIS-06]
parameters:
  learning_seconds:
    type: integer
    default: 300
    description: How long the log must run before something counts as new
*/
WITH images AS (
  SELECT event_id, cluster, time, identity, object, namespace, in_scope, c['registry'] AS registry, c['repository'] AS repository
  FROM (SELECT *, unnest(containers) AS c FROM history_writes)
  WHERE c['registry'] IS NOT NULL
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, registry ORDER BY time, event_id) AS nth FROM images
)
SELECT
  event_id,
  'the first image of registry ' || registry || ' in this log: ' || object || coalesce(' in ' || namespace, '') || ' by '
    || coalesce(identity, 'somebody') AS reason
FROM numbered
JOIN history_begins USING (cluster)
WHERE nth = 1 AND in_scope AND date_part('epoch', time) - date_part('epoch', log_begins) >= $learning_seconds
