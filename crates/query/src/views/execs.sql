-- One row an exec, attach or port-forward. kubectl asks with GET (websocket) or POST (SPDY): the verb does not matter.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, subresource, namespace, name, outcome, status_code,
  exec['command'] AS command,
  array_to_string(exec['command'], ' ') AS command_line,
  exec['container'] AS container,
  exec['stdin'] AS stdin,
  exec['tty'] AS tty,
  exec['ports'] AS ports
FROM events{history}
WHERE activity = 'access' AND resource = 'pods' AND exec IS NOT NULL
