/*
id: denied-service-account
title: New denied request by a service account
severity: low
confidence: low
risk: 5
attack: [T1613, T1078]
tactics: [Discovery]
description: >-
  A service account is denied a kind of request for the first time in the log and the look-back. Its program changed, or
  another identity uses its token.
blind_spots: Activity before the log begins.
false_positives:
  - Operators after an upgrade, and revoked permissions
triage:
  - SELECT time, verb, resource, subresource, namespace, name, outcome, user_agent, client_ip FROM events WHERE username = '<identity>' ORDER BY time
  - SELECT DISTINCT client_ip, user_agent, min(time) OVER (PARTITION BY client_ip, user_agent) AS since FROM events WHERE username = '<identity>'
  - SELECT time, verb, resource, namespace, name FROM events WHERE username = '<identity>' AND outcome = 'allowed' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1078/
covers: [DI-006]
*/
WITH denied AS (
  SELECT event_id, cluster, username, verb, api_group, resource, subresource, namespace, user_agent, time, true AS in_scope
  FROM events
  WHERE outcome = 'denied_authz' AND identity_kind = 'service_account'
  UNION ALL
  SELECT event_id, cluster, username, verb, api_group, resource, subresource, namespace, user_agent, time, false AS in_scope
  FROM events_history
  WHERE outcome = 'denied_authz' AND identity_kind = 'service_account'
),
numbered AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY cluster, username, verb, api_group, resource, subresource ORDER BY time, event_id
    ) AS nth
  FROM denied
)
SELECT
  event_id,
  username || ' may not ' || verb || ' ' || coalesce(resource || coalesce('/' || subresource, ''), 'the path')
    || coalesce(' in ' || namespace, '') || coalesce(', user agent ' || user_agent, '') AS reason
FROM numbered
WHERE nth = 1 AND in_scope
