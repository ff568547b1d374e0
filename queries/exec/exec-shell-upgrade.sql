/*
id: exec-shell-upgrade
title: Shell spawned through another program
severity: medium
confidence: medium
risk: 25
attack: [T1609, T1059, T1059.004]
tactics: [Execution]
description: >-
  A command run in a container starts a shell or a terminal from an interpreter or another program: `pty.spawn` of
  Python, `exec` of Perl, `script /dev/null`, `!sh` in an editor. Users who may open a shell do not need this. It
  indicates a bypass of a restriction or a reverse shell script.
blind_spots: Commands typed into a shell after it starts. Programs that are not in the table command_patterns.
false_positives:
  - Engineers whose image offers no other way to get a terminal
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1059/004/
  - https://gtfobins.github.io/
covers: [EX-014]
*/
SELECT
  event_id,
  'command in ' || object || ' runs ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind = 'shell upgrade'
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
