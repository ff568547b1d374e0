/*
id: privileged-container
title: Privileged container
severity: medium
attack: [T1610, T1611]
description: >-
  A workload is written with a container that runs privileged: it has every capability and every device of the node,
  so whoever runs in it owns the node. All kinds that make pods count, and init and ephemeral containers too.
blind_spots: >-
  Writes that are logged at Metadata level, and patches that leave the privileged container as it was.
false_positives:
  - Network and storage plugins, kube-proxy, node agents and security sensors, mostly as DaemonSets in system namespaces
  - Image builders in continuous integration (docker-in-docker)
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
*/
SELECT event_id, role || ' ' || coalesce(name, '') || ' of ' || object || ' is privileged' AS reason
FROM containers
WHERE privileged AND outcome = 'allowed' AND NOT made_by_controller
