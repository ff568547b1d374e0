/*
id: node-proxy
title: Kubelet access through the API server (nodes/proxy)
severity: medium
confidence: high
risk: 35
attack: [T1609, T1550, T1613]
tactics: [Lateral Movement, Discovery]
description: >-
  An identity sends requests to the kubelet of a node through nodes/proxy. The responses list every pod with its
  environment, and admission and the audit of exec are bypassed. Metrics and health checks, which monitoring requests,
  are left out.
blind_spots: Requests sent directly to the kubelet, and its responses.
false_positives:
  - Node inspection tools, and older monitoring
triage:
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
  - SELECT time, username, verb, request_uri, status_code FROM events WHERE subresource = 'proxy' AND name = '<node>' ORDER BY time
  - SELECT time, username, rules FROM role_rules WHERE role_name = '<role>'
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://attack.mitre.org/techniques/T1550/
covers: [EX-012]
*/
-- Monitoring is recognised by the path that the kubelet receives, not by text elsewhere in the URI: only these pages
-- are behind such a path.
SELECT
  event_id,
  verb || ' ' || coalesce(proxied_path(request_uri), request_uri, '?') || coalesce(' of node ' || name, '')
    || coalesce(', answered with ' || status_code, '') AS reason
FROM events
WHERE activity = 'access' AND resource = 'nodes' AND subresource = 'proxy' AND identity_kind <> 'controller'
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
  AND NOT coalesce(
    verb = 'get'
    AND regexp_like(proxied_path(request_uri), '^/(metrics(/cadvisor|/resource|/probes|/slis)?|healthz(/ping|/log|/syncloop)?|stats(/summary|/container)?|spec)?$'),
    false)
