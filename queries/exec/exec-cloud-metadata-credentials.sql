/*
id: exec-cloud-metadata-credentials
title: Cloud credentials read from the metadata service through exec
severity: high
confidence: high
risk: 60
attack: [T1609, T1552.005]
tactics: [Credential Access, Privilege Escalation]
description: >-
  A command run in a container requests credentials from the cloud metadata service: those of the node's role, of a
  workload identity, or the node's start-up data.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Engineers who troubleshoot the credentials of a cloud client
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
  'command in ' || object || ' requests ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind IN ('metadata credentials')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
