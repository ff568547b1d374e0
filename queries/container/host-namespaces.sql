/*
id: host-namespaces
title: Host PID or IPC namespace
severity: medium
routine: low
confidence: high
risk: 30
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written that shares the process or IPC namespace of its node. With hostPID it can enter the node's
  processes and read their environment; with hostIPC it can read and write their shared memory.
false_positives:
  - node-exporter, restart daemons and security sensors, which use the process namespace of the node
  - Databases and scientific software that use shared memory
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-002, WL-003]
controls: [AIS-06]
*/
SELECT
  event_id,
  object || ' uses ' || concat_ws(', ', CASE WHEN host_pid THEN 'hostPID' END, CASE WHEN host_ipc THEN 'hostIPC' END,
    CASE WHEN host_network THEN 'hostNetwork' END) AS reason
FROM authored_workloads
WHERE host_pid OR host_ipc
