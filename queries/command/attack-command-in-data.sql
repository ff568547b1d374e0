/*
id: attack-command-in-data
title: Reverse shell or dropper in a ConfigMap, annotation or environment variable
severity: medium
confidence: medium
risk: 35
attack: [T1610, T1059.004, T1105]
tactics: [Execution, Command and Control]
description: >-
  A ConfigMap, an annotation of a pod template or an environment variable of a container contains a reverse shell, or
  code that downloads or decodes other code and runs it. The command that runs it names only a file or a variable, so
  the command shows no attack. dropper-or-reverse-shell covers variables that a command names.
blind_spots: >-
  Secrets. Scripts that resemble ordinary ones: downloads that are only made executable are left out.
false_positives:
  - Bootstrap scripts that pipe an installer into a shell, and scanner rules that quote attacks
triage:
  - >-
    SELECT time, username, verb, resource, namespace, name, request_object FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, object, volume['name'] FROM (SELECT *, unnest(volumes) AS volume FROM workloads) WHERE volume['config_map_name'] = '<name>' AND namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1059/004/
covers: [WL-039]
controls: [AIS-06]
*/
WITH bodies AS (
  SELECT *
  FROM all_events
  WHERE activity IN ('write', 'workload') AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
    AND request_object IS NOT NULL AND (activity = 'workload' OR resource = 'configmaps')
),
texts AS (
  SELECT
    event_id, time, cluster, resource, namespace, name, in_scope, 'ConfigMap ' || coalesce(name, '') AS place,
    -- A JSON Patch is a list.
    CASE WHEN starts_with(ltrim(request_object), '[') THEN request_object ELSE json_get_json(request_object, 'data') END AS text
  FROM bodies
  WHERE resource = 'configmaps'
  UNION ALL
  SELECT
    event_id, time, cluster, resource, namespace, name, in_scope, 'annotations of ' || resource || ' ' || coalesce(name, '') AS place,
    -- This annotation of kubectl contains the object itself.
    regexp_replace(
      concat_ws(' ',
        CASE WHEN resource = 'pods' OR starts_with(ltrim(request_object), '[') THEN coalesce(json_get_json(request_object, 'metadata', 'annotations'), request_object) END,
        json_get_json(request_object, 'spec', 'template', 'metadata', 'annotations'),
        json_get_json(request_object, 'spec', 'jobTemplate', 'spec', 'template', 'metadata', 'annotations')),
      '"kubectl.kubernetes.io/last-applied-configuration" *: *"(\\.|[^"\\])*"', '') AS text
  FROM bodies
  WHERE activity = 'workload' AND contains(request_object, '"annotations"')
),
written AS (
  -- Text values of the JSON, unescaped, one per line.
  SELECT
    event_id, time, cluster, resource, namespace, name, in_scope, place,
    replace(replace(replace(replace(replace(replace(replace(replace(
      regexp_replace(regexp_replace(text, '" *[:,] *"', chr(10), 'g'), '^[{] *"|" *[}]$', '', 'g'), '\\', chr(1)), '\n', chr(10)), '\t', ' '), '\"', '"'), '\u003e', '>'), '\u003c', '<'), '\u0026', '&'), chr(1), '\') AS text
  FROM texts
  WHERE length(text) > 2
  UNION ALL
  SELECT
    event_id, time, cluster, resource, namespace, object, in_scope, concat('variable ', variable['name'], ' of ', role, ' ', container, ' of ', object) AS place,
    variable['value'] AS text
  FROM (
    SELECT event_id, time, cluster, resource, namespace, object, role, name AS container, unnest(env) AS variable, true AS in_scope
    FROM containers
    WHERE outcome = 'allowed' AND NOT made_by_controller AND env IS NOT NULL
    UNION ALL
    SELECT event_id, time, cluster, resource, namespace, object, role, name AS container, unnest(env) AS variable, false AS in_scope
    FROM containers_history
    WHERE outcome = 'allowed' AND NOT made_by_controller AND env IS NOT NULL
  )
  WHERE length(variable['value']) > 6
),
found AS (
  SELECT event_id, time, cluster, resource, namespace, name, in_scope, place, what, regexp_match(code, concat('(', pattern, ')'), 'is')[1] AS part
  FROM (
    SELECT *, without_port_checks(text) AS code FROM written
    UNION ALL
    SELECT *, without_port_checks(as_run(text)) AS code FROM written WHERE as_run(text) <> text
  )
  JOIN command_patterns ON regexp_like(code, pattern, 'is')
  WHERE kind IN ('reverse shell', 'dropper')
    -- Ordinary scripts do this too: fetch a program, and use character codes.
    AND what NOT IN ('a download made executable', 'decoded code made executable', 'a command in octal or hexadecimal escapes')
),
numbered AS (
  -- Later writes of the object show the same text again, regardless of the sender.
  SELECT *, row_number() OVER (PARTITION BY cluster, resource, namespace, name, what ORDER BY time, event_id) AS nth
  FROM found
)
SELECT event_id, place || ' contains ' || what || coalesce(': ' || left(part, 200), '') AS reason
FROM numbered
WHERE in_scope AND nth = 1
