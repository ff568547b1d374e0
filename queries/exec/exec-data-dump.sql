/*
id: exec-data-dump
title: Database dump or archive through exec
severity: medium
confidence: medium
risk: 25
attack: [T1609, T1530]
tactics: [Collection, Exfiltration]
description: >-
  A command run in a container dumps a database, or archives whole folders of the system or of a database. The output of
  an exec goes to the client: kubectl cp is an exec of tar.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Backups through exec, and databases copied by hand
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1530/
  - https://kubernetes.io/docs/reference/kubectl/generated/kubectl_cp/
covers: [EX-009]
*/
SELECT
  event_id,
  'command in ' || object || ' creates ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind IN ('data dump')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
