/*
id: denied-burst
title: Many requests refused
severity: low
confidence: medium
risk: 8
attack: [T1613, T1110]
tactics: [Discovery, Credential Access]
description: >-
  An identity, or an address whose credentials are not accepted, is refused many requests within five minutes.
blind_spots: >-
  Slow attempts. What happens just around the end of five minutes may fall into two parts.
false_positives:
  - Programs whose permissions or credentials are missing or expired
triage:
  - SELECT time, verb, resource, subresource, namespace, name, outcome, user_agent, client_ip FROM events WHERE username = '<identity>' ORDER BY time
  - SELECT DISTINCT client_ip, user_agent, min(time) OVER (PARTITION BY client_ip, user_agent) AS since FROM events WHERE username = '<identity>'
  - SELECT time, verb, resource, namespace, name FROM events WHERE username = '<identity>' AND outcome = 'allowed' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1613/
covers: [DI-009]
parameters:
  requests:
    type: integer
    default: 10
    description: How many requests are refused
*/
SELECT
  array_slice(array_agg(event_id ORDER BY time), 1, 50) AS event_id,
  coalesce(username, client_ip, 'somebody') || ' was refused ' || count(*) || ' requests within 5 minutes: '
    || array_to_string(array_slice(array_sort(array_agg(DISTINCT coalesce(resource, split_part(request_uri, '?', 1)))), 1, 10), ', ') AS reason
FROM events
WHERE outcome IN ('denied_authn', 'denied_authz')
  AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
GROUP BY cluster, username, client_ip, date_bin(INTERVAL '5 minutes', time)
HAVING count(*) >= $requests
