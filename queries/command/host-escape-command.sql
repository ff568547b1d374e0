/*
id: host-escape-command
title: Container escape command
aliases: [node-access-command, privileged-host-escape]
severity: high
confidence: medium
risk: 80
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written whose command, hooks or probes enter the namespaces of process 1 of the node, change into its
  file system, mount or read its disks, load a kernel module, or make the kernel start a program (high). Severity is
  critical where the workload has the rights to do so, by a privileged container, SYS_ADMIN or the host PID namespace,
  and is not a DaemonSet: its author controls the node. It is low for a command that only works with files of the node
  below a mount, with static pods, or with the container runtime.
false_positives:
  - Node maintenance by DaemonSets and Jobs
  - Node shells of administrators, such as kubectl node-shell
  - Plugin installers, builds with Docker, and node agents
references:
  - https://attack.mitre.org/techniques/T1611/
covers: [WL-040, WL-005]
controls: [AIS-06]
*/
WITH found AS (
  SELECT
    event_id, coalesce(role || ' ' || coalesce(container, '') || ' of ', '') || object AS place, what, line,
    -- Node tools do this too.
    what IN ('files of the node below a mount', 'the socket of the container runtime', 'static pods of the node') AS is_weak
  FROM command_lines
  JOIN command_patterns ON regexp_like(code, pattern, 'is')
  WHERE source = 'workload' AND kind = 'host escape' AND outcome = 'allowed'
),
able AS (
  SELECT
    written.event_id, bool_or(coalesce(container.privileged, false) OR coalesce(array_has_any(capabilities_add, make_array('ALL', 'SYS_ADMIN')), false)) AS powers
  FROM workloads AS written
  JOIN containers AS container ON container.event_id = written.event_id
  WHERE written.outcome = 'allowed' AND NOT written.made_by_controller AND written.kind <> 'DaemonSet'
  GROUP BY written.event_id, written.host_pid, written.name
  -- kubectl debug node creates a pod with the host PID namespace for every user.
  HAVING powers OR (coalesce(written.host_pid, false) AND NOT coalesce(written.name LIKE 'node-debugger-%', false))
)
SELECT
  found.event_id,
  CASE WHEN is_weak THEN 'low' WHEN able.event_id IS NOT NULL THEN 'critical' ELSE 'high' END AS severity,
  place || CASE WHEN is_weak OR able.event_id IS NULL THEN '' WHEN powers THEN ' has a privileged container' ELSE ' has the host PID namespace' END
    || CASE WHEN is_weak OR able.event_id IS NULL THEN '' ELSE ' and' END || ' runs ' || what || ': ' || left(line, 300) AS reason
FROM found
LEFT JOIN able ON able.event_id = found.event_id
