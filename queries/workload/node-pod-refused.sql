/*
id: node-pod-refused
title: Denied pod creation by a node
severity: low
confidence: high
risk: 15
attack: [T1610, T1078]
tactics: [Execution, Privilege Escalation]
description: >-
  The identity of a node tries to create a workload and is denied. Kubelets only create mirrors of their static pods.
blind_spots: >-
  None: the request is visible at every audit level.
false_positives:
  - Kubelets whose static pods use forbidden secrets or volumes
triage:
  - >-
    SELECT time, name, node_name, annotations, body_source FROM workloads WHERE username = '<identity>' AND verb = 'create' ORDER BY time
  - >-
    SELECT name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND client_ip = '<client_ip>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/node/
covers: [WL-053, WL-054]
controls: [AIS-06]
*/
SELECT event_id, coalesce(username, '') || ' may not create ' || object || ' in ' || coalesce(namespace, '') || coalesce(': ' || status_message, '') AS reason
FROM (
  SELECT event_id, username, namespace, status_message, concat(resource, ' ', name) AS object
  FROM events
  WHERE activity = 'workload' AND identity_kind = 'node' AND created AND subresource IS NULL
    AND outcome IN ('denied_authz', 'denied_admission', 'invalid')
)
