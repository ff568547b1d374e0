/*
id: exec-cluster-access
title: Kubernetes API queried from a pod through exec
severity: medium
confidence: medium
risk: 30
attack: [T1609, T1613, T1552.007]
tactics: [Discovery, Credential Access, Lateral Movement]
description: >-
  A command run in a container queries the Kubernetes API, a kubelet or etcd, with the pod's credentials or none. The
  person who runs it uses the rights of the workload instead of their own.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Pods that exist to run kubectl in them
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1613/
covers: [EX-007]
*/
SELECT
  event_id,
  'command in ' || object || ' accesses the cluster through ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'exec' AND kind IN ('cluster access')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
