/*
id: short-lived-privileged-workload
title: Privileged workload created and soon deleted
severity: low
confidence: medium
risk: 20
attack: [T1610, T1070]
tactics: [Execution, Stealth]
description: >-
  An identity creates a workload or a single pod with the privileged Pod Security level (privileged, host namespaces,
  hostPath) and deletes it within minutes. This indicates brief access to a node.
blind_spots: >-
  Logs without bodies.
false_positives:
  - Administrators who debug a node with kubectl debug or their own pod
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
    default: 900
    description: Maximum time until the deletion
*/
WITH followed AS (
  SELECT
    *,
    last_value(CASE WHEN step = 'created' THEN event_id END) IGNORE NULLS OVER earlier AS first_event,
    last_value(CASE WHEN step = 'created' THEN time END) IGNORE NULLS OVER earlier AS first_time,
    last_value(CASE WHEN step = 'created' THEN what END) IGNORE NULLS OVER earlier AS first_what,
    last_value(CASE WHEN step = 'created' THEN pod_security_level END) IGNORE NULLS OVER earlier AS first_level
  FROM (
    SELECT history_steps.*, levels.pod_security_level
    FROM history_steps
    LEFT JOIN (SELECT cluster, event_id, pod_security_level FROM workloads) AS levels
      ON levels.cluster = history_steps.cluster AND levels.event_id = history_steps.event_id
    WHERE step IN ('created', 'deleted')
  )
  WHERE true
  WINDOW earlier AS (PARTITION BY cluster, identity, resource, namespace, name ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, identity, resource, namespace, name, first_event ORDER BY time, event_id) AS nth
  FROM followed
  WHERE step = 'deleted' AND date_part('epoch', time) - date_part('epoch', first_time) <= $within_seconds AND first_level = 'privileged'
)
SELECT
  make_array(first_event, event_id) AS event_id,
  identity || ' deletes the privileged ' || what || ' ' || CAST(round(date_part('epoch', time) - date_part('epoch', first_time)) AS BIGINT) || ' s after creating it' AS reason
FROM numbered
WHERE nth = 1
