/*
id: sidecar-by-person
title: Container added to a workload by a person
severity: medium
routine: low
confidence: medium
risk: 25
attack: [T1610, T1609]
tactics: [Execution]
description: >-
  A person adds a container to an existing workload. It runs beside the others with their network, volumes and service
  account, under a trusted name.
blind_spots: Writes logged at Metadata level. Changes to a version that is not in the log.
false_positives:
  - Developers who add a sidecar by hand
triage:
  - >-
    SELECT change, container, field, before, after FROM changes WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, change, container, before, after FROM changes WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#updating-a-deployment
covers: [WL-057]
controls: [AIS-06]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' adds container ' || coalesce(container, '') || coalesce(' with ' || after, '') || ' to ' || object AS reason
FROM changes
WHERE change = 'container added' AND field <> 'ephemeral' AND NOT made_by_controller AND outcome = 'allowed'
  AND identity_kind IN ('human', 'anonymous')
