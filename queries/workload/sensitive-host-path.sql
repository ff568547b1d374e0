/*
id: sensitive-host-path
title: Sensitive host path mounted
severity: medium
attack: [T1610, T1611, T1552.001]
description: >-
  A workload is written with a hostPath volume that holds, lies in, or contains a path from which a node or the
  cluster is taken over: the root, /etc, kubelet and etcd state, root's home, devices, kernel interfaces.
  Paths are compared in normal form, so /var/run/../../etc/ is /etc.
blind_spots: Writes that are logged at Metadata level, and host paths behind a PersistentVolume.
false_positives:
  - Node agents, storage drivers and backup tools
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
*/
WITH sensitive (path) AS (
  VALUES
    ('/boot'), ('/dev'), ('/etc'), ('/home'), ('/proc'), ('/root'), ('/sys'),
    ('/usr/bin'), ('/usr/local/bin'), ('/usr/sbin'),
    ('/opt/cni/bin'), ('/run/secrets'), ('/var/lib/cni'), ('/var/lib/containerd'), ('/var/lib/docker'),
    ('/var/lib/etcd'), ('/var/lib/kubelet'), ('/var/lib/rancher'), ('/var/log'), ('/var/spool/cron')
)
SELECT DISTINCT
  event_id,
  'volume ' || coalesce(name, '') || ' of ' || object || ' is host path ' || host_path_raw AS reason
FROM volumes
JOIN sensitive
  ON host_path = path
  OR starts_with(host_path, path || '/')
  OR starts_with(path, CASE host_path WHEN '/' THEN '/' ELSE host_path || '/' END)
WHERE outcome = 'allowed' AND NOT made_by_controller
  -- Files that say nothing and that many containers read.
  AND host_path NOT IN ('/etc/localtime', '/etc/timezone', '/etc/machine-id', '/etc/os-release')
