/*
id: permissions-listed-by-service-account
title: Own permissions listed by a service account or node
severity: medium
confidence: medium
risk: 30
attack: [T1069, T1613, T1528]
tactics: [Discovery]
description: >-
  A service account or a node lists all of its permissions or queries its own user name, for the first time with this
  client. Programs know their permissions; the holder of a stolen token does not.
blind_spots: Tokens tested with other requests. A client with the user agent of the program.
false_positives:
  - Consoles that use the token of a service account
triage:
  - SELECT time, verb, resource, subresource, namespace, name, outcome, user_agent, client_ip FROM events WHERE username = '<identity>' ORDER BY time
  - SELECT DISTINCT client_ip, user_agent, min(time) OVER (PARTITION BY client_ip, user_agent) AS since FROM events WHERE username = '<identity>'
  - SELECT time, verb, resource, namespace, name FROM events WHERE username = '<identity>' AND outcome = 'allowed' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1528/
  - https://attack.mitre.org/techniques/T1069/
covers: [DI-001]
*/
WITH reviews AS (
  SELECT event_id, cluster, username, identity_kind, resource, user_agent, time, true AS in_scope
  FROM events
  WHERE resource IN ('selfsubjectrulesreviews', 'selfsubjectreviews') AND verb = 'create' AND outcome = 'allowed'
  UNION ALL
  SELECT event_id, cluster, username, identity_kind, resource, user_agent, time, false AS in_scope
  FROM events_history
  WHERE resource IN ('selfsubjectrulesreviews', 'selfsubjectreviews') AND verb = 'create' AND outcome = 'allowed'
),
numbered AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY cluster, username, resource, split_part(user_agent, '/', 1) ORDER BY time, event_id
    ) AS nth
  FROM reviews
  WHERE identity_kind IN ('service_account', 'node')
)
SELECT
  event_id,
  username || CASE resource WHEN 'selfsubjectreviews' THEN ' queries its own user name' ELSE ' lists its own permissions' END
    || coalesce(', user agent ' || user_agent, '') AS reason
FROM numbered
WHERE nth = 1 AND in_scope
