/*
id: exec-interactive-shell
title: Interactive shell in a pod
severity: low
confidence: high
risk: 5
attack: [T1609, T1059.004]
tactics: [Execution]
description: >-
  An identity opens a shell in a container with a terminal or standard input. Audit logs do not show the commands typed
  into it.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Engineers at work
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1609/
covers: [EX-014]
*/
SELECT
  event_id,
  'opens ' || coalesce('"' || left(command_line, 300) || '"', 'a shell') || ' in pod ' || coalesce(name, '') AS reason
FROM execs
WHERE subresource = 'exec' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
  AND (tty OR (stdin AND regexp_like(command_line, '^(/\S*/)?((env|busybox)\s+)?((ba|da|z|k|a|c|tc|fi)?sh|pwsh|powershell(\.exe)?|cmd(\.exe)?)(\s+-\S+)*$', 'i')))
