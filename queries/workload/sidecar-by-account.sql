/*
id: sidecar-by-account
title: Container added to a workload by a service account
severity: low
confidence: medium
risk: 5
attack: [T1610, T1609]
tactics: [Execution]
description: A service account adds a container to an existing workload.
blind_spots: Writes logged at Metadata level. Changes to a version that is not in the log.
false_positives:
  - Releases by CI, GitOps and Helm
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
  AND identity_kind IN ('service_account', 'cloud_service_account')
