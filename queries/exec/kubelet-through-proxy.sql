/*
id: kubelet-through-proxy
title: Node or control plane port reached through a proxy
severity: high
confidence: medium
risk: 60
attack: [T1090, T1609, T1611]
tactics: [Lateral Movement, Execution]
description: >-
  An identity uses the API server's proxy for pods, services or nodes to reach a port of a kubelet, etcd, a container
  runtime or the control plane. A pod on the host network has the address of its node, and so reaches every program that
  listens there. Command paths of a kubelet count on any port.
blind_spots: Such programs on other ports, and services that forward to them from a harmless port.
false_positives:
  - Applications that use such a port
triage:
  - >-
    SELECT time, username, client_ip, user_agent, verb, request_uri, status_code FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, request_uri, status_code FROM events WHERE subresource = 'proxy' AND username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, verb, object, host_network, outcome FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1090/
  - https://kubernetes.io/docs/reference/networking/ports-and-protocols/
covers: [EX-013, EX-012]
*/
-- The name of the target is [scheme:]name[:port] (`SplitSchemeNamePort` of apimachinery).
WITH targets AS (
  SELECT
    event_id, verb, resource, namespace, name, status_code, identity_kind,
    CASE WHEN name LIKE '%:%' THEN split_part(name, ':', -1) END AS port,
    proxied_path(request_uri) AS path
  FROM events
  WHERE activity = 'access' AND subresource = 'proxy' AND resource IN ('pods', 'services', 'nodes')
    AND identity_kind <> 'controller' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
)
SELECT
  event_id,
  verb || ' ' || coalesce(path, '') || ' of ' || resource || ' ' || coalesce(namespace || '/', '') || name
    || coalesce(': ' || what, ', a command path of a kubelet') || coalesce(', answered with ' || status_code, '') AS reason
FROM targets
LEFT JOIN node_ports ON targets.port = node_ports.port
WHERE (what IS NOT NULL AND NOT (resource = 'nodes' AND what = 'the kubelet') OR resource <> 'nodes' AND regexp_like(path, '^/(run|exec|attach|portForward|containerLogs)/[^/]+/[^/]+(/|$)'))
  -- Monitoring requests metrics, whatever the port.
  AND NOT coalesce(verb = 'get' AND path IN ('/metrics', '/healthz', '/livez', '/readyz', '/version'), false)
