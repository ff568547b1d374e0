/*
id: port-forward
title: Port-forward to a pod
severity: low
confidence: high
risk: 3
attack: [T1572, T1090]
tactics: [Command and Control, Lateral Movement]
description: An identity forwards a port of a pod to their own machine, past services, ingresses and network policies.
blind_spots: >-
  The port: over a WebSocket it is not in the URL. The content sent.
false_positives:
  - Developers who look at their applications, which is daily work
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, username, verb, kind, name, service_account_name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1572/
covers: [EX-003]
*/
SELECT
  event_id,
  'forwards ' || coalesce('port ' || nullif(array_to_string(ports, ', '), '') || ' of ', 'a port of ') || 'pod '
    || coalesce(name, '') AS reason
FROM execs
WHERE subresource = 'portforward' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
