/*
id: exec-download
title: File download through exec
severity: medium
confidence: medium
risk: 30
attack: [T1609, T1105]
tactics: [Command and Control]
description: >-
  A command run in a container downloads tools, scripts or programs from outside the cluster. Requests to hosts of the
  cluster or of private networks, and requests that only test whether a page answers, are left out.
blind_spots: >-
  Commands typed into a shell after it starts, and execs sent directly to the kubelet. Downloads from hosts inside the
  network.
false_positives:
  - Engineers who download a tool to troubleshoot
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1105/
covers: [EX-008]
*/
WITH outward AS (
  SELECT
    *,
    regexp_replace(
      regexp_replace(
        regexp_replace(code, '\b(127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(1[6-9]|2\d|3[01])\.\d+\.\d+|169\.254\.\d+\.\d+|0\.0\.0\.0)\b', 'localhost', 'g'),
        -- A host without a dot, or with the name of a service, is internal. A number is an address.
        '\b(https?|ftp)://([^@/\s]*@)?(\[::1?\]|[a-z][\w-]*|\$\{?[\w-]+\}?|[\w.-]+\.(svc|local|internal|localdomain|lan))(:\d+)?(/\S*|\?\S*|[\s"'';|&)]|$)',
        ' ', 'gi'),
      -- Discarded output.
      '\s(-\w*o|-O|--output|--output-document)[=\s]*/dev/null(\s|$)|>\s*/dev/null(\s|$)|2>&1|\bwget\b[^|;&]*\s--spider(\s[^|;&]*|$)', ' ', 'g')
      AS outside
  FROM command_lines
  WHERE source = 'exec' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
)
SELECT
  event_id,
  'command in ' || object || ' runs ' || what || ': ' || left(line, 300) AS reason
FROM outward
JOIN command_patterns ON regexp_like(outside, pattern, 'is')
WHERE kind = 'download'
