/*
id: created-pod-entered
title: Pod created, then entered by the same person
severity: low
confidence: low
risk: 10
attack: [T1610, T1609]
tactics: [Execution]
description: >-
  A person creates a pod and within minutes runs a command in it or attaches to it. An attacker gets a working
  environment inside the cluster this way.
blind_spots: Pods of a Deployment, whose names their controllers choose. Logs without the names of pods.
false_positives:
  - kubectl run -it and other interactive work, and people who test an image
triage:
  - >-
    SELECT time, username, verb, subresource, outcome, client_ip FROM events WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-014]
controls: [AIS-06]
parameters:
  within_seconds:
    type: integer
    default: 600
    description: Maximum time between creation and entry
*/
WITH followed AS (
  SELECT
    *,
    last_value(CASE WHEN step = 'created' THEN event_id END) IGNORE NULLS OVER earlier AS first_event,
    last_value(CASE WHEN step = 'created' THEN time END) IGNORE NULLS OVER earlier AS first_time,
    last_value(CASE WHEN step = 'created' THEN what END) IGNORE NULLS OVER earlier AS first_what
  FROM history_steps
  WHERE identity_kind = 'human'
  WINDOW earlier AS (PARTITION BY cluster, identity, namespace, name ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, identity, namespace, name, first_event ORDER BY time, event_id) AS nth
  FROM followed
  WHERE step = 'entered' AND date_diff('second', first_time, time) <= $within_seconds AND resource = 'pods'
)
SELECT
  make_array(first_event, event_id) AS event_id,
  identity || ' enters ' || what || ' ' || date_diff('second', first_time, time) || ' s after creating it' AS reason
FROM numbered
WHERE nth = 1
