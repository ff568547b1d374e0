/*
id: exec-into-pod
title: Exec into a pod
severity: low
confidence: high
risk: 3
attack: [T1609]
tactics: [Execution]
description: >-
  An identity runs a command in a running container. kubectl sends a GET over a WebSocket or a POST over SPDY; both
  count, whether or not the kubelet then ran the command. Exec is daily work for people, so other detections judge the
  command, the identity and the place.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Engineers at work, and operators that run checks in their pods
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1609/
covers: [EX-001]
*/
SELECT
  event_id,
  'runs ' || coalesce('"' || left(command_line, 300) || '"', 'a command') || ' in pod ' || coalesce(name, '')
    || CASE WHEN status_code < 400 THEN '' ELSE coalesce(', answered with ' || status_code, ', no response yet') END
    AS reason
FROM execs
-- An exec cannot be a dry run, whatever its URL claims.
WHERE subresource = 'exec' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
