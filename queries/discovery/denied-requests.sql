/*
id: denied-requests
title: Denied requests
severity: info
confidence: high
risk: 0
attack: [T1078, T1613]
tactics: [Discovery, Initial Access]
description: Requests denied for missing credentials or permissions, one row per identity and kind of request.
blind_spots: Clients blocked by the network.
false_positives:
  - Daily events in every cluster
triage:
  - SELECT time, verb, resource, subresource, namespace, name, outcome, user_agent, client_ip FROM events WHERE username = '<identity>' ORDER BY time
  - SELECT DISTINCT client_ip, user_agent, min(time) OVER (PARTITION BY client_ip, user_agent) AS since FROM events WHERE username = '<identity>'
  - SELECT time, verb, resource, namespace, name FROM events WHERE username = '<identity>' AND outcome = 'allowed' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1078/
covers: [DI-012]
controls: [IAM-16]
*/
SELECT
  min(event_id) AS event_id,
  coalesce(username, client_ip, 'an unknown identity') || CASE outcome WHEN 'denied_authn' THEN ' failed to authenticate: ' ELSE ' may not ' END
    || coalesce(verb, 'request') || ' ' || coalesce(resource || coalesce('/' || subresource, ''), 'paths')
    || coalesce(' in ' || namespace, '') || ', ' || count(*) || CASE count(*) WHEN 1 THEN ' request' ELSE ' requests' END AS reason
FROM events
WHERE outcome IN ('denied_authn', 'denied_authz')
GROUP BY cluster, username, impersonated_username, client_ip, outcome, verb, resource, subresource, namespace
