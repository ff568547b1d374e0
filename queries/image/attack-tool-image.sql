/*
id: attack-tool-image
title: Attack tool, cryptominer or scanner in a workload
aliases: [scanner-in-workload]
severity: high
confidence: high
risk: 60
attack: [T1610, T1496, T1046]
tactics: [Execution, Impact, Discovery]
description: >-
  A workload is written whose name, image, container, command or environment names a known attack tool, malware or
  cryptominer (high), or that runs a port, web or vulnerability scanner, a password cracker or a privilege escalation
  script (low).
blind_spots: Renamed tools.
false_positives:
  - Approved security scans with kube-hunter and similar tools
  - Security teams and their pipelines
references:
  - https://attack.mitre.org/techniques/T1610/
  - https://attack.mitre.org/techniques/T1496/
  - https://attack.mitre.org/techniques/T1046/
covers: [WL-038]
controls: [AIS-06]
*/
WITH tools AS (
  -- Scans may be authorised, so that scanners are low: see below.
  SELECT string_agg(tool, '|') AS names FROM attack_tools WHERE kind <> 'scanner'
),
texts AS (
  SELECT
    event_id, role || ' ' || coalesce(name, '') || ' of ' || object AS place,
    concat_ws(' ', image, name, array_to_string(command, ' '), array_to_string(args, ' ')) AS text
  FROM containers
  WHERE outcome = 'allowed' AND NOT made_by_controller
  UNION ALL
  SELECT event_id, role || ' ' || coalesce(name, '') || ' of ' || object AS place, concat_ws(' ', image, name) AS text
  FROM workload_images
  WHERE role = 'image volume' AND outcome = 'allowed' AND NOT made_by_controller
  UNION ALL
  SELECT event_id, role || ' ' || coalesce(container, '') || ' of ' || object AS place, variable['value'] AS text
  FROM (
    SELECT event_id, object, role, name AS container, unnest(env) AS variable
    FROM containers
    WHERE outcome = 'allowed' AND NOT made_by_controller
  )
  WHERE variable['value'] IS NOT NULL
  UNION ALL
  -- Hooks and probes.
  SELECT event_id, coalesce(role || ' ' || coalesce(container, '') || ' of ', '') || object AS place, line AS text
  FROM command_lines
  WHERE source = 'workload' AND outcome = 'allowed'
)
SELECT
  event_id,
  place || ' names ' || min(regexp_match(text, '(?:^|[^a-z0-9])(' || names || ')(?:$|[^a-z0-9])', 'i')[1]) AS reason, 'high' AS severity
FROM texts
CROSS JOIN tools
WHERE regexp_like(text, '(^|[^a-z0-9])(' || names || ')($|[^a-z0-9])', 'i')
GROUP BY event_id, place
UNION ALL
-- A name matches a tool if only digits and controller suffixes follow.
SELECT event_id, object || ' has the name of an attack tool' AS reason, 'high' AS severity
FROM workloads
CROSS JOIN tools
WHERE outcome = 'allowed' AND NOT made_by_controller
  AND regexp_like(coalesce(name, generate_name), '^(' || names || ')(-(\d+|miner|pod|job|worker|deploy(ment)?|[a-z0-9]*\d[a-z0-9]*))*-?$', 'i')
UNION ALL
SELECT
  event_id, coalesce(role || ' ' || coalesce(container, '') || ' of ', '') || object || ' runs ' || what || ': ' || left(line, 300) AS reason,
  'low' AS severity
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'workload' AND kind = 'attack tool' AND outcome = 'allowed'
  -- Servers with the name of a tool.
  AND NOT regexp_like(code, '\b(hydra|medusa)\s+(serve|migrate|start|develop|janitor|create|clients?)\b', 'i')
UNION ALL
SELECT event_id, role || ' ' || coalesce(name, '') || ' of ' || object || ' uses image ' || image || ' of a scanner' AS reason, 'low' AS severity
FROM workload_images
JOIN attack_tools ON regexp_like(image, '(^|[^a-z0-9])(' || tool || ')($|[^a-z0-9])', 'i')
WHERE attack_tools.kind = 'scanner' AND outcome = 'allowed' AND NOT made_by_controller
