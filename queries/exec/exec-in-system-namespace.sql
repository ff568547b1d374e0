/*
id: exec-in-system-namespace
title: Exec into a platform pod
severity: medium
confidence: medium
risk: 25
attack: [T1609]
tactics: [Execution, Privilege Escalation]
description: >-
  An identity runs a command in a pod of a platform namespace, where pods often have the rights of the node or of the
  cluster. Commands that only query state are left out.
blind_spots: Commands typed into a shell after it starts, and execs sent directly to the kubelet.
false_positives:
  - Engineers who troubleshoot the platform in one of its pods
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1609/
  - https://docs.aws.amazon.com/guardduty/latest/ug/guardduty-finding-types-eks-audit-logs.html
covers: [EX-004]
*/
SELECT
  event_id,
  'runs ' || coalesce('"' || left(command_line, 300) || '"', 'a command') || ' in pod ' || coalesce(name, '') || ' of ' || owner
    || coalesce(', through the kubelet of ' || node, '') AS reason
FROM execs
JOIN system_namespaces ON execs.namespace LIKE system_namespaces.namespace
LEFT ANTI JOIN status_execs USING (cluster, event_id)
WHERE subresource = 'exec' AND identity_kind <> 'controller'
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
