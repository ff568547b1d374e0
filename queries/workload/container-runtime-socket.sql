/*
id: container-runtime-socket
title: Container runtime socket mounted
severity: medium
attack: [T1610, T1611]
description: >-
  A workload is written with the socket of the node's container runtime, or the directory it lies in, as a volume.
  Through the socket anybody starts a privileged container that the API server never sees.
blind_spots: Writes that are logged at Metadata level, and host paths behind a PersistentVolume.
false_positives:
  - Image builders in continuous integration
  - Monitoring and security agents that list containers
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
*/
WITH sockets (path) AS (
  VALUES
    ('/run/docker.sock'), ('/run/dockershim.sock'), ('/run/cri-dockerd.sock'), ('/run/containerd/containerd.sock'),
    ('/run/crio/crio.sock'), ('/run/k3s/containerd/containerd.sock'), ('/run/podman/podman.sock'),
    ('/run/user/1000/podman/podman.sock'), ('/run/buildkit/buildkitd.sock')
)
SELECT DISTINCT
  event_id,
  'volume ' || coalesce(name, '') || ' of ' || object || ' is host path ' || host_path_raw AS reason
FROM volumes
JOIN sockets ON host_path = path OR starts_with(path, host_path || '/')
WHERE outcome = 'allowed' AND NOT made_by_controller
