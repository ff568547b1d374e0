-- One row a command line that somebody wrote or ran, and a way to read it: a container's command with its arguments, a
-- hook's or probe's (both `source` 'workload'), and that of an exec ('exec'), through the kubelet too. What controllers
-- make of a template is left out.
-- `code` is what patterns are compared with: the line as written, the line as a shell runs it where that differs (quotes,
-- backslashes, $IFS …), and what it holds in Base64 or hexadecimal; each without what only asks whether a port is open,
-- and without talk with the pod itself. Left out are commands that are nothing but a redirection from or to a socket: to
-- have more left out, somebody would need a command that does nothing with it.
WITH lines AS (
  SELECT *, as_run(line) AS run
  FROM (
    SELECT
      event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
      verb, namespace, outcome, 'workload' AS source, object, role, name AS container,
      concat_ws(' ', array_to_string(command, ' '), array_to_string(args, ' ')) AS line, CASE WHEN false THEN command END AS words, created
    FROM containers{history}
    WHERE NOT made_by_controller
    UNION ALL
    SELECT
      event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
      verb, namespace, outcome, 'workload' AS source, object, role, name AS container,
      array_to_string(handler['command'], ' ') AS line, CASE WHEN false THEN command END AS words, created
    FROM (SELECT *, unnest(handlers) AS handler FROM containers{history})
    WHERE NOT made_by_controller
    UNION ALL
    SELECT
      event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
      verb, namespace, outcome, 'exec' AS source, concat('Pod ', coalesce(name, '')) AS object, NULL AS role, container,
      command_line AS line, words, false AS created
    FROM execs{history}
    WHERE subresource = 'exec'
  )
  WHERE line <> ''
)
SELECT *, without_port_checks(line) AS code FROM lines
UNION ALL
SELECT *, without_port_checks(run) AS code FROM lines WHERE run <> line
UNION ALL
SELECT *, without_port_checks(as_run(decode_command(run))) AS code FROM lines WHERE decode_command(run) IS NOT NULL
