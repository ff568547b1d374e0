/*
id: host-escape-command
title: Container escape command
severity: high
confidence: medium
risk: 60
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written whose command, hooks or probes enter the namespaces of process 1 of the node, change into its
  file system, mount or read its disks, load a kernel module, or make the kernel start a program.
blind_spots: Writes logged at Metadata level, which show no containers. Code inside the image.
false_positives:
  - Node maintenance by DaemonSets and Jobs
triage:
  - "SELECT time, username, client_ip, user_agent, verb, namespace, object, line FROM command_lines WHERE event_id = '<event_id>'"
  - "SELECT role, name, image, command, args, env, privileged, volume_mounts FROM containers WHERE event_id = '<event_id>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time"
references:
  - https://attack.mitre.org/techniques/T1611/
covers: [WL-040]
controls: [AIS-06]
*/
SELECT
  event_id,
  coalesce(role || ' ' || coalesce(container, '') || ' of ', '') || object || ' runs ' || what || ': ' || left(line, 300) AS reason
FROM command_lines
JOIN command_patterns ON regexp_like(code, pattern, 'is')
WHERE source = 'workload' AND kind = 'host escape' AND outcome = 'allowed'
  -- Node tools use these too: node-access-command reports them.
  AND what NOT IN ('files of the node below a mount', 'the socket of the container runtime', 'static pods of the node')
