/*
id: unusual-capability
title: Capability outside the Pod Security baseline added
severity: low
confidence: high
risk: 5
attack: [T1610]
tactics: [Execution]
description: >-
  A workload is written with a container that has a Linux capability outside the Pod Security baseline that is not a
  dangerous one, such as NET_RAW, SYS_TIME or SYS_NICE.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Software that sends pings or sets clocks or priorities
triage:
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, kind, namespace, name, client_ip, user_agent, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://man7.org/linux/man-pages/man7/capabilities.7.html
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-015]
controls: [AIS-06]
*/
SELECT
  event_id,
  role || ' ' || coalesce(name, '') || ' of ' || object || ' adds ' || string_agg(added, ', ' ORDER BY added) AS reason
FROM (SELECT event_id, role, name, object, unnest(capabilities_add) AS added FROM pods_containers)
LEFT JOIN capabilities ON added = capability
WHERE capability IS NULL AND added <> 'ALL'
GROUP BY event_id, role, name, object
