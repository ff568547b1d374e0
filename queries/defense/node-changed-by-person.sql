/*
id: node-changed-by-person
title: Node labelled, tainted or cordoned by a person
severity: info
confidence: low
risk: 3
attack: [T1610]
tactics: [Execution]
description: A person changes the labels or taints of a node, or cordons it. This changes which pods run there.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Maintenance of nodes
triage:
  - >-
    SELECT time, username, verb, name, outcome FROM events WHERE resource = 'nodes' AND name = '<name>' AND activity = 'write' ORDER BY time
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/architecture/nodes/
covers: [DE-009]
*/
SELECT event_id, act || ': ' || string_agg(what, '; ') AS reason
FROM guard_writes
WHERE in_scope AND kind = 'node' AND identity_kind IN ('human', 'anonymous')
GROUP BY event_id, act
