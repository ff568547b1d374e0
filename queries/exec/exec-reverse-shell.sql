/*
id: exec-reverse-shell
title: Reverse shell or dropper through exec
severity: high
confidence: high
risk: 60
attack: [T1609, T1059.004, T1105]
tactics: [Execution, Command and Control]
description: >-
  A command run in a container connects a shell to another host, opens a tunnel, or downloads or decodes code and runs
  it.
blind_spots: >-
  Commands typed into a shell after it starts, and execs sent directly to the kubelet. Code in an existing file.
false_positives:
  - Installers that people pipe into a shell to debug
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1059/004/
covers: [EX-005]
*/
SELECT
  event_id,
  'command in ' || object || ' runs ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind IN ('reverse shell', 'tunnel', 'dropper')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
