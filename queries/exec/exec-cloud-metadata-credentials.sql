/*
id: exec-cloud-metadata-credentials
title: Cloud credentials read from the metadata service through exec
severity: high
confidence: high
risk: 60
attack: [T1609, T1552.005]
tactics: [Credential Access, Privilege Escalation]
description: >-
  A command that is run in a container asks the metadata service of the cloud for credentials: of the node's role,
  of a workload identity, or the start-up data of the node.
blind_spots: >-
  Commands that are typed into a shell after it was started, and execs that go through the kubelet itself.
false_positives:
  - Engineers who look why a cloud client does not get its credentials
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
  object || ' is made to run ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind IN ('metadata credentials')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
