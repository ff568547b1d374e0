/*
id: node-created-by-person
title: Node registered by an identity other than a kubelet
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1610, T1199]
tactics: [Persistence, Execution]
description: >-
  An identity that is neither a kubelet nor a control plane component creates a Node object. An attacker's machine can
  join this way, and receives pods with their secrets.
blind_spots: Nodes that join with the identity of a kubelet.
false_positives:
  - Autoscalers and virtual kubelets
triage:
  - >-
    SELECT time, username, verb, name, client_ip, user_agent FROM events WHERE resource = 'nodes' AND name = '<name>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/architecture/nodes/
covers: [DE-009]
*/
SELECT event_id, 'node ' || coalesce(name, '') || ' created by ' || coalesce(username, 'an unknown identity') AS reason
FROM events
WHERE activity = 'write' AND resource = 'nodes' AND subresource IS NULL AND created AND outcome = 'allowed'
  AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
