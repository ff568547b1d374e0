/*
id: exec-package-install
title: Package installation through exec
severity: low
confidence: medium
risk: 15
attack: [T1609, T1105]
tactics: [Command and Control, Execution]
description: A command run in a container installs packages. The container then differs from its image.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Engineers who install a tool to troubleshoot
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1105/
covers: [EX-008]
*/
SELECT
  event_id,
  'command in ' || object || ' runs ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind IN ('package install')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
