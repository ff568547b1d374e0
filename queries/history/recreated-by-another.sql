/*
id: recreated-by-another
title: Workload deleted and recreated by another identity
severity: low
confidence: low
risk: 10
attack: [T1610, T1036]
tactics: [Persistence, Stealth]
description: >-
  One identity deletes a workload, and another identity that had not written it before creates one of the same name
  within an hour. Different content may then run under the known name.
blind_spots: Deletions in the look-back, before the scope begins. Objects with generated names.
false_positives:
  - Two colleagues who repair an application together
triage:
  - >-
    SELECT time, username, verb, subresource, outcome, client_ip FROM events WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, username, object, change, field, before, after FROM changes WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-023]
controls: [AIS-06]
parameters:
  within_seconds:
    type: integer
    default: 3600
    description: Maximum time until the recreation
*/
WITH steps AS (
  SELECT *, dense_rank() OVER (PARTITION BY cluster, resource, namespace, name ORDER BY time, event_id) AS place
  FROM history_steps
  WHERE step IN ('created', 'written', 'deleted') AND name IS NOT NULL
),
paired AS (
  SELECT
    *,
    lag(step) OVER object AS before_step,
    lag(event_id) OVER object AS before_event,
    lag(time) OVER object AS before_time,
    lag(identity) OVER object AS before_identity,
    row_number() OVER (PARTITION BY cluster, resource, namespace, name, identity ORDER BY time, event_id) AS nth_of_identity
  FROM steps
  WINDOW object AS (PARTITION BY cluster, resource, namespace, name ORDER BY time, event_id)
)
SELECT
  make_array(before_event, event_id) AS event_id,
  identity || ' recreates ' || what || ', which ' || before_identity || ' deleted '
    || date_diff('second', before_time, time) || ' s earlier' AS reason
FROM paired
WHERE step = 'created' AND before_step = 'deleted' AND identity <> before_identity AND nth_of_identity = 1
  AND date_diff('second', before_time, time) <= $within_seconds
  AND NOT EXISTS (
    SELECT 1 FROM workloads_history AS known
    WHERE known.cluster = paired.cluster AND known.resource = paired.resource AND known.namespace = paired.namespace
      AND known.name = paired.name AND coalesce(known.impersonated_username, known.username) = paired.identity
      AND known.outcome = 'allowed'
  )
