/*
id: command-changed
title: Command of a workload changed
severity: low
confidence: medium
risk: 5
attack: [T1610]
tactics: [Execution]
description: >-
  An identity changes the command, arguments or hooks of an existing workload. The same image then does something else.
blind_spots: Writes logged at Metadata level. Changes to a version that is not in the log.
false_positives:
  - New settings passed as arguments
triage:
  - >-
    SELECT change, container, field, before, after FROM changes WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, change, container, before, after FROM changes WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#updating-a-deployment
covers: [WL-059]
controls: [AIS-06]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' changes ' || field || ' of container ' || coalesce(container, '') || ' of ' || object || coalesce(' to ' || left(after, 300), '') AS reason
FROM changes
WHERE change IN ('command', 'handler') AND NOT made_by_controller AND outcome = 'allowed'
