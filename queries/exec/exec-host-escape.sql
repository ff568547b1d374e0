/*
id: exec-host-escape
title: Container escape to the node through exec
severity: high
confidence: high
risk: 60
attack: [T1609, T1611]
tactics: [Privilege Escalation]
description: >-
  A command run in a container accesses the node: the namespaces of process 1, the file system, the disks, the socket of
  the container runtime, or a program that the kernel starts.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Engineers who repair a node through a privileged pod
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1611/
covers: [EX-014]
*/
SELECT
  event_id,
  'command in ' || object || ' accesses the node through ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind IN ('host escape')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
