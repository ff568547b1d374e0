/*
id: node-takeover
title: Privilege combination that allows node takeover
severity: high
routine: low
confidence: high
risk: 60
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written that combines two or more ways into its node: a container that is privileged or has all
  capabilities or SYS_ADMIN, the host PID namespace, the writable root directory of the node. Together they give a root
  shell on the node with a single command. Host network and host IPC count too, unless the rest is an agent on every
  node.
blind_spots: Combinations completed by a patch that sets only the second part.
false_positives:
  - kubectl debug node and node shells of engineers
  - Security sensors and restart daemons
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-005]
controls: [AIS-06]
*/
WITH roots AS (
  SELECT event_id, bool_or(writable) AS root FROM authored_host_paths WHERE host_path = '/' GROUP BY event_id
),
joined AS (
  SELECT
    authored_workloads.event_id, object, kind,
    coalesce(controls_node, false) AS powers, coalesce(root, false) AS root, coalesce(host_pid, false) AS pid,
    coalesce(host_ipc, false) AS ipc, coalesce(host_network, false) AS network
  FROM authored_workloads
  LEFT JOIN container_powers ON container_powers.event_id = authored_workloads.event_id
  LEFT JOIN roots ON roots.event_id = authored_workloads.event_id
)
SELECT
  event_id,
  object || ' combines ' || concat_ws(', ',
    CASE WHEN powers THEN 'privileged container or SYS_ADMIN' END,
    CASE WHEN pid THEN 'hostPID' END,
    CASE WHEN ipc THEN 'hostIPC' END,
    CASE WHEN network THEN 'hostNetwork' END,
    CASE WHEN root THEN 'writable root directory of the node' END) AS reason
FROM joined
WHERE powers::INT + pid::INT + root::INT >= 2
  -- Network plugins are privileged on the host network: a DaemonSet does not match by that alone.
  OR (kind <> 'DaemonSet' AND powers::INT + pid::INT + root::INT + ipc::INT + network::INT >= 2)
