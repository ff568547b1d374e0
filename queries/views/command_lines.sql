-- One row a command line that somebody wrote or ran: a container's command with its arguments, a hook's or probe's (both
-- `source` 'workload'), and that of an exec ('exec'). What controllers make of a template is left out.
-- `code` is the line without what only asks whether a port is open, and without talk with the pod itself.
SELECT
  *,
  regexp_replace(line,
    -- Such as (echo > /dev/tcp/db/5432).
    '(^|[(;&|!]|\s-c|\b(echo|true|do|until|while|if))\s*[<>]\s*/dev/(tcp|udp)/[^\s);&|]+|/dev/(tcp|udp)/(localhost|127\.)',
    ' ', 'g') AS code
FROM (
  SELECT
    event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
    verb, namespace, outcome, 'workload' AS source, object, role, name AS container,
    concat_ws(' ', array_to_string(command, ' '), array_to_string(args, ' ')) AS line
  FROM containers{history}
  WHERE NOT made_by_controller
  UNION ALL
  SELECT
    event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
    verb, namespace, outcome, 'workload' AS source, object, role, name AS container,
    array_to_string(handler['command'], ' ') AS line
  FROM (SELECT *, unnest(handlers) AS handler FROM containers{history})
  WHERE NOT made_by_controller
  UNION ALL
  SELECT
    event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
    verb, namespace, outcome, 'exec' AS source, concat('Pod ', coalesce(name, '')) AS object, NULL AS role, container,
    command_line AS line
  FROM execs{history}
  WHERE subresource = 'exec'
)
WHERE line <> ''
