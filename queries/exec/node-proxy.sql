/*
id: node-proxy
aliases: [node-proxy-command]
title: Kubelet access through the API server (nodes/proxy)
severity: medium
confidence: high
risk: 70
attack: [T1609, T1550, T1613, T1611]
tactics: [Lateral Movement, Discovery, Execution]
description: >-
  An identity sends requests to a kubelet through the API server, past admission and the audit of pods. Paths that run
  commands, attach, forward ports or read logs are high; metrics and health are left out.
blind_spots: Requests sent directly to the kubelet, and its responses.
false_positives:
  - Node inspection tools, and older monitoring
  - None known
triage:
  - >-
    SELECT time, username, verb, request_uri, status_code FROM events WHERE subresource = 'proxy' AND name = '<node>' ORDER BY time
  - SELECT time, username, rules FROM role_rules WHERE role_name = '<role>'
  - >-
    SELECT time, username, client_ip, user_agent, verb, request_uri, status_code FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, request_uri, status_code FROM events WHERE subresource = 'proxy' AND username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://attack.mitre.org/techniques/T1550/
  - https://attack.mitre.org/techniques/T1609/
covers: [EX-012]
*/
-- Monitoring and commands are recognised by the path that the kubelet receives, unescaped and cleaned, not by text elsewhere
-- in the URI.
SELECT
  event_id,
  CASE WHEN is_command THEN 'high' ELSE 'medium' END AS severity,
  verb || ' ' || coalesce(path, request_uri, '?') || coalesce(' of node ' || name, '')
    || coalesce(': ' || left(array_to_string(exec['command'], ' '), 300), '')
    || coalesce(', answered with ' || status_code, '') AS reason
FROM (
  SELECT *, coalesce(regexp_like(path, '^/(run|exec|attach|portForward|cri|checkpoint|debug|containerLogs|logs)(/|$)', 'i'), false) AS is_command
  FROM (
    SELECT *, proxied_path(request_uri) AS path
    FROM events
    WHERE activity = 'access' AND resource = 'nodes' AND subresource = 'proxy'
      AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
  )
)
WHERE is_command OR identity_kind <> 'controller' AND NOT coalesce(
  verb = 'get' AND regexp_like(path, '^/(metrics(/cadvisor|/resource|/probes|/slis)?|healthz(/ping|/log|/syncloop)?|stats(/summary|/container)?|spec)?$'),
  false)
