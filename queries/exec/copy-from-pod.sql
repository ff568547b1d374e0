/*
id: copy-from-pod
title: Files copied from a pod (kubectl cp)
severity: low
confidence: high
risk: 8
attack: [T1609, T1530]
tactics: [Collection, Exfiltration]
description: >-
  An identity runs tar in a container so that it prints an archive, as kubectl cp does to copy files from a pod. Other
  detections judge credentials among the files.
blind_spots: >-
  Commands typed into a shell after it starts, and execs sent directly to the kubelet. Copies by other means, such as
  cat.
false_positives:
  - Engineers who fetch logs, dumps and profiles
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/kubectl/generated/kubectl_cp/
covers: [EX-009]
*/
SELECT
  event_id,
  'copies files from pod ' || coalesce(name, '') || ': ' || left(command_line, 300) AS reason
FROM execs
WHERE subresource = 'exec'
  AND regexp_like(command_line, '\btar\s+((-{1,2}\S+\s+)*-?\w*c\w*\s+((-\S*\s+)*-(\s|$)|-)|[^|;&>]*-O\b|-?[a-eg-z]*c[a-eg-z]*\s+[^-|;&>][^|;&>]*$)', 'i')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
