/*
id: no-resource-limits
title: No resource limits
severity: info
confidence: high
risk: 0
attack: [T1610, T1496]
tactics: [Execution, Impact]
description: >-
  A workload is created with a container without a memory or CPU limit. It can use the whole node, as cryptominers do.
blind_spots: Writes logged at Metadata level. Limits that a LimitRange sets later, where the response is not logged.
false_positives:
  - Workloads without measured resource needs
triage:
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, kind, namespace, name, client_ip, user_agent, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
covers: [WL-061]
controls: [AIS-06]
*/
SELECT event_id, object || ' sets no limits for ' || string_agg(name, ', ' ORDER BY name) AS reason
FROM pods_containers
WHERE body_source IN ('response', 'request') AND created AND subresource IS NULL AND role = 'container'
  AND coalesce(cardinality(map_keys(limits)), 0) = 0
GROUP BY event_id, object
