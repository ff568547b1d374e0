/*
id: pod-or-service-proxy
title: Pod or service proxy access through the API server
severity: low
confidence: medium
risk: 5
attack: [T1090]
tactics: [Command and Control, Lateral Movement]
description: >-
  Somebody talks to a pod or a service through the proxy of the API server, past ingresses and network policies. It is
  medium where the target is by its name a database, a queue or a store of secrets, as a port-forward to it is.
blind_spots: >-
  Requests that were refused, and what is sent.
false_positives:
  - Dashboards, and checks of monitoring
triage:
  - SELECT time, username, client_ip, user_agent, verb, request_uri, status_code FROM events WHERE event_id = '<event_id>'
  - SELECT time, verb, request_uri, status_code FROM events WHERE subresource = 'proxy' AND username = '<identity>' ORDER BY time
  - SELECT time, username, verb, request_uri FROM events WHERE subresource = 'proxy' AND namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1090/
covers: [EX-013]
*/
-- One row an identity and target: a page asks for many things.
SELECT
  min(event_id) AS event_id,
  count(*) || ' requests to ' || resource || ' ' || coalesce(events.name, '') || ', such as ' || min(verb || ' ' || request_uri) || coalesce('; it is by its name a ' || min(data_stores.what), '') AS reason,
  CASE WHEN min(data_stores.what) IS NOT NULL THEN 'medium' ELSE 'low' END AS severity
FROM events
-- A name may have the scheme before it and the port behind it.
LEFT JOIN data_stores ON regexp_like(events.name, '(^|[-._:])(' || data_stores.name || ')([-._:0-9]|$)', 'i')
WHERE resource IN ('pods', 'services') AND subresource = 'proxy' AND identity_kind <> 'controller'
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
GROUP BY cluster, username, impersonated_username, resource, namespace, events.name
