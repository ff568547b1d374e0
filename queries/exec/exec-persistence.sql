/*
id: exec-persistence
title: Persistence or log tampering through exec
severity: medium
confidence: medium
risk: 35
attack: [T1609, T1053.003, T1070]
tactics: [Persistence, Stealth]
description: >-
  A command run in a container adds keys, accounts, cron jobs or start-up files, sets the setuid bit, or clears logs and
  the shell history.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Repairs of containers that keep state
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1053/003/
  - https://attack.mitre.org/techniques/T1070/
covers: [EX-014]
*/
SELECT
  event_id,
  'command in ' || object || ' modifies the system: ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind IN ('persistence', 'covering tracks')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
