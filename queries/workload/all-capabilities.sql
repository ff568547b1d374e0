/*
id: all-capabilities
title: All capabilities added
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with a container that has all Linux capabilities, which is nearly equivalent to a privileged
  container.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Older charts of storage and network software
triage:
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, kind, namespace, name, client_ip, user_agent, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://man7.org/linux/man-pages/man7/capabilities.7.html
covers: [WL-014]
controls: [AIS-06]
*/
SELECT
  event_id,
  role || ' ' || coalesce(name, '') || ' of ' || object || ' adds ' || string_agg(added, ', ' ORDER BY added) AS reason
FROM (SELECT event_id, role, name, object, unnest(capabilities_add) AS added FROM pods_containers)
WHERE added = 'ALL'
GROUP BY event_id, role, name, object
