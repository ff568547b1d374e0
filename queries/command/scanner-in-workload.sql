/*
id: scanner-in-workload
title: Scanner or enumeration tool in a workload
severity: low
confidence: medium
risk: 15
attack: [T1610, T1046]
tactics: [Execution, Discovery]
description: >-
  A workload is written that runs a port, web or vulnerability scanner, a password cracker or a privilege escalation
  script.
blind_spots: Renamed tools.
false_positives:
  - Security teams and their pipelines
references:
  - https://attack.mitre.org/techniques/T1046/
covers: [WL-038]
controls: [AIS-06]
*/
SELECT event_id, coalesce(role || ' ' || coalesce(container, '') || ' of ', '') || object || ' runs ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'workload' AND kind = 'attack tool' AND outcome = 'allowed'
  -- Servers with the name of a tool.
  AND NOT regexp_like(code, '\b(hydra|medusa)\s+(serve|migrate|start|develop|janitor|create|clients?)\b', 'i')
UNION ALL
SELECT event_id, role || ' ' || coalesce(name, '') || ' of ' || object || ' uses image ' || image AS reason
FROM workload_images
JOIN attack_tools ON regexp_like(image, '(^|[^a-z0-9])(' || tool || ')($|[^a-z0-9])', 'i')
WHERE attack_tools.kind = 'scanner' AND outcome = 'allowed' AND NOT made_by_controller
