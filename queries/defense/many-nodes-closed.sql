/*
id: many-nodes-closed
title: Several nodes cordoned by one person
severity: low
confidence: low
risk: 15
attack: [T1499, T1610]
tactics: [Impact]
description: A person cordons three or more nodes within an hour. New pods move to the remaining nodes, or stay pending.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Replacement of nodes
triage:
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, verb, name, outcome FROM events WHERE resource = 'nodes' AND activity = 'write' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/architecture/nodes/#manual-node-administration
covers: [DE-009]
*/
SELECT
  array_agg(DISTINCT event_id) AS event_id,
  coalesce(username, 'an unknown identity') || ' cordons ' || count(DISTINCT name) || ' nodes: ' || string_agg(DISTINCT name, ', ') AS reason
FROM guard_writes
WHERE in_scope AND kind = 'node' AND change = 'cordoned' AND identity_kind IN ('human', 'anonymous')
GROUP BY cluster, username, date_bin(INTERVAL '1 hour', time)
HAVING count(DISTINCT name) >= 3
