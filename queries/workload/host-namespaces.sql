/*
id: host-namespaces
title: Host namespace shared
severity: medium
attack: [T1610, T1611]
description: >-
  A workload is written that shares namespaces of its node: with hostPID it sees and can enter the node's processes,
  with hostIPC it reads their shared memory, with hostNetwork it reaches the node's loopback and the metadata service.
blind_spots: Writes that are logged at Metadata level.
false_positives:
  - Network plugins, ingress controllers, node-exporter and other agents that use the host network
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
*/
SELECT
  event_id,
  object || ' uses ' || concat_ws(', ',
    CASE WHEN host_pid THEN 'hostPID' END,
    CASE WHEN host_ipc THEN 'hostIPC' END,
    CASE WHEN host_network THEN 'hostNetwork' END
  ) AS reason
FROM workloads
WHERE (host_pid OR host_ipc OR host_network) AND outcome = 'allowed' AND NOT made_by_controller
