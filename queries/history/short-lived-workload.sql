/*
id: short-lived-workload
title: Workload created and soon deleted by the same person
severity: low
confidence: low
risk: 8
attack: [T1610, T1070]
tactics: [Execution, Stealth]
description: >-
  A person creates a DaemonSet, Deployment, StatefulSet, CronJob, Job or ReplicationController and deletes it within
  minutes. The workload has run, and its object is gone. Single pods are left out, because they come and go all day.
blind_spots: Objects deleted by another identity or with their owner. Pods.
false_positives:
  - Tests and mistakes
triage:
  - >-
    SELECT time, username, verb, subresource, outcome, client_ip FROM events WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-015]
controls: [AIS-06]
parameters:
  within_seconds:
    type: integer
    default: 600
    description: Maximum time until the deletion
*/
WITH followed AS (
  SELECT
    *,
    last_value(CASE WHEN step = 'created' THEN event_id END) IGNORE NULLS OVER earlier AS first_event,
    last_value(CASE WHEN step = 'created' THEN time END) IGNORE NULLS OVER earlier AS first_time,
    last_value(CASE WHEN step = 'created' THEN what END) IGNORE NULLS OVER earlier AS first_what
  FROM history_steps
  WHERE identity_kind = 'human'
  WINDOW earlier AS (PARTITION BY cluster, identity, resource, namespace, name ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, identity, resource, namespace, name, first_event ORDER BY time, event_id) AS nth
  FROM followed
  WHERE step = 'deleted' AND date_part('epoch', time) - date_part('epoch', first_time) <= $within_seconds AND resource <> 'pods'
)
SELECT
  make_array(first_event, event_id) AS event_id,
  identity || ' deletes ' || what || ' ' || CAST(round(date_part('epoch', time) - date_part('epoch', first_time)) AS BIGINT) || ' s after creating it' AS reason
FROM numbered
WHERE nth = 1
