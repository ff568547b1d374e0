/*
id: exec-credential-search
title: Credential search through exec
severity: medium
confidence: medium
risk: 30
attack: [T1609, T1552.001]
tactics: [Credential Access, Discovery]
description: >-
  A command run in a container searches files for keys or passwords, or reads the environment or memory of other
  processes, which hold secrets.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Engineers who look for the origin of a setting
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1552/001/
covers: [EX-007]
*/
SELECT
  event_id,
  'command in ' || object || ' runs ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind IN ('credential search', 'process secrets')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
