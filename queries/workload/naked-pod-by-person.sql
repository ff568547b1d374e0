/*
id: naked-pod-by-person
title: Naked pod created by a person
severity: low
confidence: high
risk: 3
attack: [T1610]
tactics: [Execution]
description: >-
  A person creates a pod without an owner: no rollout, no review, no history, and no controller.
blind_spots: >-
  None: the request is visible at every level.
false_positives:
  - kubectl run, and debugging
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/workloads/pods/
covers: [WL-033]
controls: [AIS-06]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' creates ' || object || ' in ' || coalesce(namespace, '') || ' by hand' AS reason
FROM pods_workloads
WHERE kind = 'Pod' AND subresource IS NULL AND created AND owner IS NULL
  AND identity_kind IN ('human', 'anonymous')
