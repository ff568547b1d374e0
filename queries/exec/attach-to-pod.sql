/*
id: attach-to-pod
title: Attach to a pod
severity: low
confidence: high
risk: 5
attack: [T1609]
tactics: [Execution]
description: >-
  An identity attaches to the main process of a container. It can read the output and, where the process reads standard
  input, send commands.
blind_spots: Input typed after the attach. Attaches sent directly to the kubelet.
false_positives:
  - kubectl run -it and kubectl debug -it, which attach to what they just created
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, username, verb, kind, name, service_account_name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1609/
covers: [EX-002]
*/
SELECT
  event_id,
  'attaches to ' || coalesce('container ' || container || ' of ', '') || 'pod ' || coalesce(name, '')
    || CASE WHEN stdin THEN ' with standard input' ELSE '' END AS reason
FROM execs
WHERE subresource = 'attach' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
