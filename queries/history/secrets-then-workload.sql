/*
id: secrets-then-workload
title: Secrets of all namespaces listed, then a workload created
severity: medium
confidence: medium
risk: 35
attack: [T1552.007, T1610]
tactics: [Credential Access, Execution]
description: >-
  An identity that did not list the secrets of all namespaces before does so and creates a workload within half an hour.
  Operators that list them regularly are part of the baseline.
blind_spots: Secrets read one at a time or a namespace at a time.
false_positives:
  - Administrators who look for a secret and then deploy
triage:
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
references:
  - https://attack.mitre.org/techniques/T1552/007/
covers: [WS-018]
controls: [DSP-15, AIS-06]
parameters:
  within_seconds:
    type: integer
    default: 1800
    description: Maximum time until the workload
  lists:
    type: integer
    default: 2
    description: Number of such lists by an identity that establish a baseline
*/
WITH followed AS (
  SELECT
    *,
    last_value(CASE WHEN step = 'secrets listed' AND namespace IS NULL AND nth_list <= $lists THEN event_id END) IGNORE NULLS OVER earlier AS first_event,
    last_value(CASE WHEN step = 'secrets listed' AND namespace IS NULL AND nth_list <= $lists THEN time END) IGNORE NULLS OVER earlier AS first_time,
    last_value(CASE WHEN step = 'secrets listed' AND namespace IS NULL AND nth_list <= $lists THEN what END) IGNORE NULLS OVER earlier AS first_what
  FROM (
    SELECT
      *,
      count(*) FILTER (WHERE step = 'secrets listed' AND namespace IS NULL) OVER (PARTITION BY cluster, identity) AS nth_list
    FROM history_steps
  )
  WHERE true
  WINDOW earlier AS (PARTITION BY cluster, identity ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, identity, first_event ORDER BY time, event_id) AS nth
  FROM followed
  WHERE step = 'created' AND date_part('epoch', time) - date_part('epoch', first_time) <= $within_seconds
)
SELECT
  make_array(first_event, event_id) AS event_id,
  identity || ' creates ' || what || ' ' || CAST(round(date_part('epoch', time) - date_part('epoch', first_time)) AS BIGINT) || ' s after listing the secrets of all namespaces' AS reason
FROM numbered
WHERE nth = 1
