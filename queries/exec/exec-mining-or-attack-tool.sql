/*
id: exec-mining-or-attack-tool
title: Cryptominer or attack tool through exec
severity: high
confidence: high
risk: 60
attack: [T1609, T1496, T1046]
tactics: [Execution, Impact, Discovery]
description: A command run in a container starts a cryptominer, a scanner, an enumeration script or another attack tool.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet. Renamed tools.
false_positives:
  - Announced penetration tests
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1496/
  - https://attack.mitre.org/techniques/T1046/
covers: [EX-014]
*/
WITH tools AS (
  SELECT what, pattern FROM command_patterns WHERE kind IN ('mining', 'attack tool')
  UNION ALL
  SELECT kind AS what, '\b(' || tool || ')\b' AS pattern FROM attack_tools
)
SELECT
  event_id,
  'command in ' || object || ' runs ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN tools ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
