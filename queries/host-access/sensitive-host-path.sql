/*
id: sensitive-host-path
title: Sensitive hostPath volume
severity: medium
routine: low
confidence: high
risk: 30
attack: [T1610, T1611, T1552.001]
tactics: [Execution, Privilege Escalation, Credential Access]
description: >-
  A workload is written with a hostPath volume that is, is below, or contains a path that allows node takeover: the root
  directory, /etc, root's home, programs, devices or kernel interfaces. Paths are normalised first, so
  /var/run/../../etc/ is /etc. Devices, kernel interfaces, plugins and files of the runtime and of network plugins count
  where they are writable and the workload is not a DaemonSet of known node agents. Trusted certificates and the
  directory of all local volumes count where they are writable by root. Other sockets of node daemons count, except
  those of agents that only receive traces, metrics and names. Other detections cover logs, kubelet files and cluster
  keys.
blind_spots: hostPath volumes behind a PersistentVolume, and mounts of a subpath of the volume.
false_positives:
  - Node agents, storage drivers and backup tools
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
covers: [WL-007]
controls: [AIS-06]
*/
SELECT event_id, reason
FROM authored_host_paths
LEFT JOIN (
  SELECT DISTINCT cluster AS root_cluster, event_id AS root_event
  FROM containers
  WHERE run_as_user = 0 OR privileged
) AS root ON root_cluster = cluster AND root_event = event_id
-- Kernel modules are not secret, and many agents read them.
WHERE NOT (NOT writable AND regexp_like(host_path, '^(/usr)?/lib/modules(/|$)')) AND (
  (inside IS NULL AND cardinality(holds) > 0)
  OR inside IN ('system', 'home', 'credentials')
  OR (inside IN ('device', 'kernel', 'network plugin', 'container state', 'kubelet plugins') AND writable AND NOT is_node_agent AND (executes OR kind <> 'DaemonSet'))
  OR (inside = 'hooks' AND writable AND NOT is_node_agent)
  OR (inside = 'trust' AND writable AND root_event IS NOT NULL AND NOT is_node_agent)
  OR inside = 'volumes'
  OR (inside IS NULL AND NOT is_node_agent AND regexp_like(host_path, '([.](sock|socket)|[-_](sock|socket|ctl))$')
    AND NOT regexp_like(host_path, '^/run/(datadog|spire|spiffe|nscd|statsd|chrony|newrelic|elastic-agent|instana|dynatrace)[/.-]'))
)
