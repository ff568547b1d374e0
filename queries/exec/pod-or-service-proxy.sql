/*
id: pod-or-service-proxy
title: Pod or service proxy access through the API server
severity: low
confidence: medium
risk: 5
attack: [T1090]
tactics: [Command and Control, Lateral Movement]
description: >-
  An identity sends requests to a pod or a service through the API server's proxy, which bypasses Ingresses and network
  policies. Severity is medium where the name of the target indicates a database, a queue or a secret store, as for a
  port-forward.
blind_spots: Denied requests, and the content sent.
false_positives:
  - Dashboards, and monitoring checks
triage:
  - >-
    SELECT time, username, client_ip, user_agent, verb, request_uri, status_code FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, request_uri, status_code FROM events WHERE subresource = 'proxy' AND username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, verb, request_uri FROM events WHERE subresource = 'proxy' AND namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1090/
covers: [EX-013]
*/
-- One row per identity and target: a page sends many requests.
SELECT
  min(event_id) AS event_id,
  count(*) || ' requests to ' || resource || ' ' || coalesce(events.name, '') || ', such as ' || min(verb || ' ' || request_uri) || coalesce('; its name indicates a ' || min(data_stores.what), '') AS reason,
  CASE WHEN min(data_stores.what) IS NOT NULL THEN 'medium' ELSE 'low' END AS severity
FROM events
-- A name may have the scheme before it and the port after it.
LEFT JOIN data_stores ON regexp_like(events.name, '(^|[-._:])(' || data_stores.name || ')([-._:0-9]|$)', 'i')
WHERE resource IN ('pods', 'services') AND subresource = 'proxy' AND identity_kind <> 'controller'
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
GROUP BY cluster, username, impersonated_username, resource, namespace, events.name
