/*
id: exec-cloud-metadata
title: Cloud metadata service queried through exec
severity: medium
confidence: high
risk: 35
attack: [T1609, T1552.005]
tactics: [Execution, Credential Access, Discovery]
description: >-
  A command run in a container queries the cloud metadata service, which describes the node and issues its credentials.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Engineers who troubleshoot the region or the credentials of a cloud client
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1552/005/
covers: [EX-006]
*/
SELECT
  event_id,
  'command in ' || object || ' queries ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind IN ('metadata service')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
