/*
id: image-changed-by-person
title: Image changed by a person
severity: low
confidence: medium
risk: 5
attack: [T1610, T1525]
tactics: [Execution, Persistence]
description: A person changes the image of an existing workload, outside the deployment pipeline.
blind_spots: Writes logged at Metadata level. Changes to a version that is not in the log.
false_positives:
  - Hot fixes, and small teams
triage:
  - >-
    SELECT change, container, field, before, after FROM changes WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, change, container, before, after FROM changes WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#updating-a-deployment
covers: [WL-058]
controls: [AIS-06]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' changes container ' || coalesce(container, '') || ' of ' || object || ' from ' || coalesce(before, 'an unknown image') || ' to ' || coalesce(after, '') AS reason
FROM changes
WHERE change = 'image' AND NOT made_by_controller AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous')
  AND (before IS DISTINCT FROM after)
