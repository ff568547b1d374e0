/*
id: node-creates-pod
title: Pod created by a node
aliases: [node-pod-refused]
severity: high
confidence: high
risk: 60
attack: [T1610, T1078]
tactics: [Execution, Privilege Escalation]
description: >-
  The identity of a node creates a pod other than a static one. Kubelets never do this, and NodeRestriction blocks it:
  another party uses the node's certificate, in a cluster without that plugin. Severity is low where the request is
  denied, which is visible at every audit level.
blind_spots: Allowed writes logged at Metadata level.
false_positives:
  - Denied requests of kubelets whose static pods use forbidden secrets or volumes
triage:
  - >-
    SELECT time, name, node_name, annotations, body_source FROM workloads WHERE username = '<identity>' AND verb = 'create' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND client_ip = '<client_ip>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/node/
covers: [WL-054, WL-053]
controls: [AIS-06]
*/
SELECT event_id, username || ' creates ' || object || ' in ' || coalesce(namespace, '') AS reason, 'high' AS severity
FROM workloads
WHERE identity_kind = 'node' AND created AND subresource IS NULL AND outcome = 'allowed'
  AND (kind <> 'Pod' OR (body_source <> 'none' AND NOT coalesce(array_has(map_keys(annotations), 'kubernetes.io/config.mirror'), false)))
UNION ALL
SELECT
  event_id,
  concat(username, ' is not allowed to create ', resource, ' ', name, ' in ', namespace) || coalesce(': ' || status_message, '') AS reason,
  'low' AS severity
FROM events
WHERE activity = 'workload' AND identity_kind = 'node' AND created AND subresource IS NULL
  AND outcome IN ('denied_authz', 'denied_admission', 'invalid')
