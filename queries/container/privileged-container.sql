/*
id: privileged-container
title: Privileged container
aliases: [windows-host-process]
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with a privileged container, which has all capabilities and all devices of the node, or with a
  Windows HostProcess container, which runs as a process of the host. Code in it controls the node. All kinds that
  create pods count, including init and ephemeral containers.
blind_spots: Patches that do not change an existing privileged container.
false_positives:
  - Network and storage plugins, kube-proxy, node agents and security sensors, mostly as DaemonSets in system namespaces
  - Image builders in CI (docker-in-docker)
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
  - https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/
covers: [WL-001, WL-024]
controls: [AIS-06]
*/
SELECT event_id, role || ' ' || coalesce(name, '') || ' of ' || object || ' is privileged' AS reason
FROM authored_containers
WHERE privileged
UNION ALL
SELECT DISTINCT event_id, object || ' runs as a HostProcess container on Windows' AS reason
FROM (SELECT event_id, object, host_process, unnest(containers) AS container FROM authored_workloads)
WHERE coalesce(container['host_process'], host_process)
