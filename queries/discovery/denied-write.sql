/*
id: denied-write
title: Denied write of a workload, role or exec
severity: low
confidence: medium
risk: 10
attack: [T1610, T1098, T1609, T1613]
tactics: [Execution, Privilege Escalation, Discovery]
description: An identity without permission tries to write a workload, a role or a binding, or to enter a pod.
blind_spots: >-
  Requests denied by admission, which other detections judge. Bodies, which are not logged for denied requests.
false_positives:
  - People in the wrong namespace, and pipelines with missing permissions
triage:
  - SELECT time, verb, resource, subresource, namespace, name, outcome, user_agent, client_ip FROM events WHERE username = '<identity>' ORDER BY time
  - SELECT DISTINCT client_ip, user_agent, min(time) OVER (PARTITION BY client_ip, user_agent) AS since FROM events WHERE username = '<identity>'
  - SELECT time, verb, resource, namespace, name FROM events WHERE username = '<identity>' AND outcome = 'allowed' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [DI-008]
controls: [IAM-16]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' may not ' || verb || ' ' || resource || coalesce('/' || subresource, '')
    || coalesce(' ' || name, '') || coalesce(' in ' || namespace, '') AS reason
FROM events
WHERE outcome = 'denied_authz' AND identity_kind NOT IN ('controller', 'node', 'system')
  AND (
    activity = 'access' AND resource = 'pods'
    OR activity IN ('workload', 'rbac') AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
  )
