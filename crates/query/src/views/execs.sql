-- One row per exec, attach or port-forward request. kubectl uses GET (WebSocket) or POST (SPDY), so the verb does not
-- matter. Includes requests through the kubelet (`nodes/proxy`), with the namespace and pod that they name, and
-- `node`.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb,
  coalesce(exec['action'], subresource) AS subresource,
  CASE resource WHEN 'nodes' THEN exec['namespace'] ELSE namespace END AS namespace,
  CASE resource WHEN 'nodes' THEN exec['pod'] ELSE name END AS name,
  outcome, status_code,
  exec['command'] AS command,
  array_to_string(exec['command'], ' ') AS command_line,
  exec['container'] AS container,
  exec['stdin'] AS stdin,
  exec['tty'] AS tty,
  exec['ports'] AS ports,
  exec['words'] AS words,
  CASE resource WHEN 'nodes' THEN name END AS node
FROM events
WHERE activity = 'access' AND resource IN ('pods', 'nodes') AND exec IS NOT NULL
