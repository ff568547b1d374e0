-- One row per command line written or run, and decoded form of it: a container's command with its arguments,
-- that of a hook or probe (both with `source` 'workload'), and that of an exec ('exec'), also through the kubelet. What
-- controllers create from a template is left out. Patterns are compared with `code`: the line as written, the line as a
-- shell runs it where that differs (quotes, backslashes, $IFS …), and its decoded Base64 or hexadecimal content; each
-- without parts that only test whether a port is open, and without traffic with the pod itself. Environment variables
-- of the container named in a command are replaced by their values: `eval "$X"` runs the content of X. Commands that
-- are only a redirection from or to a socket are left out; they do nothing.
WITH lines AS (
  SELECT *, as_run(line) AS run
  FROM (
    SELECT
      event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
      verb, namespace, outcome, 'workload' AS source, object, role, name AS container,
      concat_ws(' ', array_to_string(command, ' '), array_to_string(args, ' ')) AS line, CASE WHEN false THEN command END AS words, created
    FROM containers
    WHERE NOT made_by_controller
    UNION ALL
    SELECT
      event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
      verb, namespace, outcome, 'workload' AS source, object, role, name AS container,
      array_to_string(handler['command'], ' ') AS line, CASE WHEN false THEN command END AS words, created
    FROM (SELECT *, unnest(handlers) AS handler FROM containers)
    WHERE NOT made_by_controller
    UNION ALL
    SELECT
      event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
      verb, namespace, outcome, 'exec' AS source, concat('Pod ', coalesce(name, '')) AS object, NULL AS role, container,
      command_line AS line, words, false AS created
    FROM execs
    WHERE subresource = 'exec'
  )
  WHERE line <> ''
),
assigned AS (
  SELECT
    event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
    verb, namespace, outcome, 'workload' AS source, object, role, container, line, CASE WHEN false THEN command END AS words, created,
    -- The variables as a shell assigns them, and the command with Kubernetes' $(NAME) as ${NAME}.
    as_run(concat(
      string_agg(
        concat(
          variable['name'], '=',
          regexp_replace(replace(variable['value'], chr(10), ' ; '), '([\[\](){}[:space:];&|<>"''$`*?\\])', '\\\1', 'g'), ';'), ' '
        ORDER BY variable['name']),
      ' ', regexp_replace(line, '[$][(]([A-Za-z_][A-Za-z0-9_]*)[)]', '$${\1}', 'g'))) AS run
  FROM (
    SELECT
      event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
      verb, namespace, outcome, object, role, name AS container, command, created,
      concat_ws(' ', array_to_string(command, ' '), array_to_string(args, ' ')) AS line, unnest(env) AS variable
    FROM containers
    WHERE NOT made_by_controller AND env IS NOT NULL
  )
  WHERE variable['value'] <> '' AND contains(line, '$')
    AND regexp_like(line, concat('[$][({]?', regexp_replace(variable['name'], '[^A-Za-z0-9_]', '.', 'g'), '\b'))
  GROUP BY
    event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
    verb, namespace, outcome, object, role, container, line, command, created
),
as_executed AS (
  SELECT * FROM lines WHERE run <> line
  UNION ALL
  SELECT * FROM assigned
)
SELECT *, without_port_checks(line) AS code FROM lines
UNION ALL
SELECT *, without_port_checks(run) AS code FROM as_executed
UNION ALL
SELECT *, without_port_checks(as_run(decode_command(run))) AS code
FROM (SELECT * FROM lines WHERE run = line UNION ALL SELECT * FROM as_executed)
WHERE decode_command(run) IS NOT NULL
