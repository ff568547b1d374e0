/*
id: dropper-or-reverse-shell
title: Reverse shell or dropper in a command
severity: high
confidence: high
risk: 60
attack: [T1610, T1059.004, T1105]
tactics: [Execution, Command and Control]
description: >-
  A workload is written whose command, arguments, hooks or probes download and run code, decode and run code, or connect
  a shell to another host.
false_positives:
  - Bootstrap scripts that pipe an installer into a shell
triage:
  - >-
    SELECT time, username, verb, namespace, object, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, namespace, name, command_line FROM execs WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1059/004/
covers: [WL-039]
controls: [AIS-06]
*/
WITH written AS (
  SELECT event_id, cluster, namespace, object, role, container, line, code, created, time, true AS in_scope
  FROM command_lines
  WHERE source = 'workload' AND outcome = 'allowed'
  UNION ALL
  SELECT event_id, cluster, namespace, object, role, container, line, code, created, time, false AS in_scope
  FROM command_lines_history
  WHERE source = 'workload' AND outcome = 'allowed'
),
numbered AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY cluster, namespace, object, role, container, line, code ORDER BY time, event_id) AS nth
  FROM written
)
SELECT
  event_id,
  role || ' ' || coalesce(container, '') || ' of ' || object || ' runs ' || what || ': ' || left(line, 300) AS reason
FROM numbered
JOIN command_patterns ON regexp_like(code, pattern, 'is')
-- Later writes of the object show the same line again, regardless of the sender.
WHERE kind IN ('reverse shell', 'dropper') AND in_scope AND (nth = 1 OR created)
