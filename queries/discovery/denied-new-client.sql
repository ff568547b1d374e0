/*
id: denied-new-client
title: Denied request from a client new to the identity
severity: low
confidence: medium
risk: 12
attack: [T1613, T1078, T1550]
tactics: [Discovery, Initial Access]
description: >-
  A known identity sends a request with a user agent that it did not use before, and the request is denied. The
  credential may be stolen.
blind_spots: Clients with a user agent already in use. Activity before the log begins.
false_positives:
  - People who try another tool
references:
  - https://attack.mitre.org/techniques/T1078/
covers: [DI-007]
parameters:
  learning_seconds:
    type: integer
    default: 30
    description: How long an identity must be known before a client counts as new
  new_seconds:
    type: integer
    default: 86400
    description: How long a client counts as new
*/
WITH uses AS (
  SELECT
    cluster, username, coalesce(user_agent_tool(user_agent), '') AS tool, min(time) AS first
  FROM (
    SELECT cluster, username, user_agent, time FROM all_events WHERE identity_kind IN ('human', 'service_account', 'cloud_service_account')
  )
  GROUP BY 1, 2, 3
),
later AS (
  SELECT *
  FROM (SELECT *, min(first) OVER (PARTITION BY cluster, username) AS known FROM uses)
  WHERE date_diff('second', known, first) >= $learning_seconds
),
denied AS (
  SELECT
    event_id, cluster, username, coalesce(user_agent_tool(user_agent), '') AS tool, verb, resource,
    namespace, time
  FROM events
  WHERE outcome = 'denied_authz' AND identity_kind IN ('human', 'service_account', 'cloud_service_account')
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, username, tool ORDER BY time, event_id) AS nth FROM denied
)
SELECT
  event_id,
  numbered.username || ' uses the new client ' || CASE WHEN numbered.tool = '' THEN 'no user agent' ELSE numbered.tool END
    || ' and is not allowed to ' || verb || ' ' || coalesce(resource, 'the path') || coalesce(' in ' || namespace, '')
    AS reason
FROM numbered
JOIN later USING (cluster, username, tool)
-- A client used for a long time is not new when it is denied.
WHERE nth = 1 AND date_diff('second', first, time) <= $new_seconds
