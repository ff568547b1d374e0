/*
id: exec-data-sent-away
title: Data exfiltration through exec
severity: medium
confidence: medium
risk: 35
attack: [T1609, T1041, T1530]
tactics: [Exfiltration]
description: >-
  A command run in a container sends files or the output of a dump to another host, to a webhook collector or to cloud
  storage.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Manual backups
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1041/
covers: [EX-009]
*/
SELECT
  event_id,
  'command in ' || object || ' sends data: ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind IN ('exfiltration')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
