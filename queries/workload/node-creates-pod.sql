/*
id: node-creates-pod
title: Pod created by a node
severity: high
confidence: high
risk: 60
attack: [T1610, T1078]
tactics: [Execution, Privilege Escalation]
description: >-
  The identity of a node creates a pod other than a static one. Kubelets never do this, and NodeRestriction blocks it:
  another party uses the node's certificate, in a cluster without that plugin.
blind_spots: Writes logged at Metadata level.
false_positives:
  - None known
triage:
  - >-
    SELECT time, name, node_name, annotations, body_source FROM workloads WHERE username = '<identity>' AND verb = 'create' ORDER BY time
  - >-
    SELECT name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND client_ip = '<client_ip>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/node/
covers: [WL-054]
controls: [AIS-06]
*/
SELECT event_id, username || ' creates ' || object || ' in ' || coalesce(namespace, '') AS reason
FROM workloads
WHERE identity_kind = 'node' AND created AND subresource IS NULL AND outcome = 'allowed'
  AND (kind <> 'Pod' OR (body_source <> 'none' AND NOT coalesce(array_has(map_keys(annotations), 'kubernetes.io/config.mirror'), false)))
