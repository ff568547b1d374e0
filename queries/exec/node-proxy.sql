/*
id: node-proxy
aliases: [kubelet-through-proxy, node-proxy-command]
title: Kubelet or control plane port reached through the API server
severity: medium
confidence: high
risk: 70
attack: [T1609, T1550, T1613, T1611, T1090]
tactics: [Lateral Movement, Discovery, Execution]
description: >-
  An identity sends requests to a kubelet through the API server (nodes/proxy), which bypasses admission and the audit
  of pods (medium); metrics and health are left out. Severity is high for paths that run commands, attach, forward ports
  or read logs, and for requests to a port of a node or of the control plane through the proxy of a node, pod or
  service, which can work without rights to nodes/proxy.
blind_spots: Such servers on other ports, and services that forward to them from a harmless port.
false_positives:
  - Node inspection tools, and older monitoring
  - Applications that use such a port
triage:
  - >-
    SELECT time, username, client_ip, user_agent, verb, request_uri, status_code FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, name, request_uri, status_code FROM events WHERE subresource = 'proxy' AND username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://attack.mitre.org/techniques/T1550/
  - https://attack.mitre.org/techniques/T1609/
  - https://attack.mitre.org/techniques/T1090/
  - https://kubernetes.io/docs/reference/networking/ports-and-protocols/
covers: [EX-012, EX-013]
*/
-- The name of the target is [scheme:]name[:port] (`SplitSchemeNamePort` of apimachinery). Monitoring and commands are
-- recognised by the path that the target receives, unescaped and cleaned, not by text elsewhere in the URI.
WITH targets AS (
  SELECT
    event_id, verb, resource, namespace, name, status_code, identity_kind, exec, what,
    coalesce(path, request_uri, '?') AS path,
    coalesce(regexp_like(path, '^/(run|exec|attach|portForward|cri|checkpoint|debug|containerLogs|logs)(/|$)', 'i'), false) AS is_command,
    coalesce(regexp_like(path, '^/(run|exec|attach|portForward|containerLogs)/[^/]+/[^/]+(/|$)'), false) AS is_command_of_a_pod,
    coalesce(verb = 'get' AND path IN ('/metrics', '/healthz', '/livez', '/readyz', '/version'), false) AS is_monitoring,
    coalesce(verb = 'get' AND regexp_like(path, '^/(metrics(/cadvisor|/resource|/probes|/slis)?|healthz(/ping|/log|/syncloop)?|stats(/summary|/container)?|spec)?$'), false) AS is_node_page
  FROM (
    SELECT *, CASE WHEN name LIKE '%:%' THEN split_part(name, ':', -1) END AS target_port, proxied_path(request_uri) AS path
    FROM events
    WHERE activity = 'access' AND subresource = 'proxy' AND resource IN ('pods', 'services', 'nodes')
      AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
  )
  LEFT JOIN node_ports ON node_ports.port = target_port
)
SELECT
  event_id, severity,
  verb || ' ' || path || ' of ' || resource || ' ' || coalesce(namespace || '/', '') || coalesce(name, '')
    || coalesce(', port of ' || what, '') || coalesce(': ' || left(array_to_string(exec['command'], ' '), 300), '')
    || coalesce(', answered with ' || status_code, '') AS reason
FROM (
  SELECT
    *,
    CASE
      WHEN resource = 'nodes' AND is_command THEN 'high'
      WHEN identity_kind = 'controller' THEN NULL
      WHEN NOT is_monitoring AND (what IS NOT NULL AND NOT (resource = 'nodes' AND what = 'the kubelet') OR resource <> 'nodes' AND is_command_of_a_pod) THEN 'high'
      WHEN resource = 'nodes' AND NOT is_node_page THEN 'medium'
    END AS severity
  FROM targets
)
WHERE severity IS NOT NULL
