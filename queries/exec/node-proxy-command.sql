/*
id: node-proxy-command
title: Command execution through the kubelet proxy
severity: high
confidence: high
risk: 70
attack: [T1609, T1611]
tactics: [Execution, Lateral Movement]
description: >-
  An identity uses nodes/proxy to make the kubelet run a command, attach to, forward or checkpoint a container, or
  return the logs of containers and the node. This bypasses admission and the audit of exec. A GET is enough where it is
  upgraded to a WebSocket.
blind_spots: Requests sent directly to the kubelet.
false_positives:
  - None known
triage:
  - SELECT time, username, client_ip, user_agent, verb, request_uri, status_code FROM events WHERE event_id = '<event_id>'
  - SELECT time, username, verb, request_uri, status_code FROM events WHERE subresource = 'proxy' AND username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://attack.mitre.org/techniques/T1609/
covers: [EX-012]
*/
-- The path as the kubelet receives it: unescaped and cleaned. The query string does not matter.
SELECT
  event_id,
  verb || ' ' || proxied_path(request_uri) || coalesce(' of node ' || name, '')
    || coalesce(': ' || left(array_to_string(exec['command'], ' '), 300), '')
    || coalesce(', answered with ' || status_code, '') AS reason
FROM events
WHERE activity = 'access' AND resource = 'nodes' AND subresource = 'proxy'
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
  AND regexp_like(proxied_path(request_uri), '^/(run|exec|attach|portForward|cri|checkpoint|debug|containerLogs|logs)(/|$)', 'i')
