/*
id: discovery-then-workload
title: Listed own permissions, then created a workload
severity: low
confidence: low
risk: 10
attack: [T1613, T1610]
tactics: [Discovery, Execution]
description: >-
  A person lists their own permissions and then creates a workload. The owner of a credential knows its rights; a thief
  has to ask.
blind_spots: Permissions tried instead of queried.
false_positives:
  - People who investigate a denied request
triage:
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
references:
  - https://attack.mitre.org/techniques/T1613/
covers: [WS-017]
controls: [AIS-06]
parameters:
  within_seconds:
    type: integer
    default: 1800
    description: Maximum time until the workload
*/
WITH followed AS (
  SELECT
    *,
    last_value(CASE WHEN step = 'permissions asked' AND resource = 'selfsubjectrulesreviews' THEN event_id END) IGNORE NULLS OVER earlier AS first_event,
    last_value(CASE WHEN step = 'permissions asked' AND resource = 'selfsubjectrulesreviews' THEN time END) IGNORE NULLS OVER earlier AS first_time,
    last_value(CASE WHEN step = 'permissions asked' AND resource = 'selfsubjectrulesreviews' THEN what END) IGNORE NULLS OVER earlier AS first_what
  FROM history_steps
  WHERE identity_kind = 'human'
  WINDOW earlier AS (PARTITION BY cluster, identity ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, identity, first_event ORDER BY time, event_id) AS nth
  FROM followed
  WHERE step = 'created' AND date_part('epoch', time) - date_part('epoch', first_time) <= $within_seconds
)
SELECT
  make_array(first_event, event_id) AS event_id,
  identity || ' creates ' || what || ' ' || CAST(round(date_part('epoch', time) - date_part('epoch', first_time)) AS BIGINT) || ' s after listing own permissions' AS reason
FROM numbered
WHERE nth = 1
