/*
id: privileged-host-escape
title: Privileged container combined with host access
severity: critical
confidence: high
risk: 80
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A person or an application writes a workload whose command accesses the node and that has the rights to do so: a
  privileged container, SYS_ADMIN, or the host PID namespace. Its author controls the node.
blind_spots: >-
  Writes logged at Metadata level, which show no containers. Code inside the image. DaemonSets for node maintenance,
  which host-escape-command covers.
false_positives:
  - Node shells of administrators, such as kubectl node-shell
triage:
  - "SELECT time, username, client_ip, user_agent, verb, namespace, object, line FROM command_lines WHERE event_id = '<event_id>'"
  - "SELECT role, name, image, command, args, env, privileged, volume_mounts FROM containers WHERE event_id = '<event_id>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time"
references:
  - https://attack.mitre.org/techniques/T1611/
covers: [WL-040, WL-005]
controls: [AIS-06]
*/
WITH able AS (
  SELECT event_id, bool_or(coalesce(privileged, false) OR coalesce(array_has_any(capabilities_add, make_array('ALL', 'SYS_ADMIN')), false)) AS powers
  FROM containers
  WHERE outcome = 'allowed' AND NOT made_by_controller
  GROUP BY event_id
)
SELECT
  lines.event_id,
  lines.object || ' has ' || CASE WHEN powers THEN 'a privileged container' ELSE 'the host PID namespace' END
    || ' and runs ' || what || ': ' || left(line, 300) AS reason
FROM command_lines AS lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
JOIN able ON able.event_id = lines.event_id
JOIN workloads ON workloads.event_id = lines.event_id
WHERE lines.source = 'workload' AND command_patterns.kind = 'host escape' AND lines.outcome = 'allowed'
  AND what NOT IN ('files of the node below a mount', 'the socket of the container runtime', 'static pods of the node')
  AND (powers OR host_pid)
  AND workloads.kind <> 'DaemonSet'
  -- kubectl debug node creates such a pod for every user; host-escape-command reports it.
  AND NOT (workloads.name LIKE 'node-debugger-%' AND NOT powers)
