/*
id: mirror-pod
title: Unexpected static pod
severity: medium
routine: low
confidence: medium
risk: 35
attack: [T1610, T1543.005]
tactics: [Execution, Persistence]
description: >-
  A kubelet reports a static pod that is not one of the components usually run as static pods. A manifest was placed on
  the node, or the node's certificate was stolen. A static pod bypasses admission, and deleting it through the API has
  no effect.
blind_spots: >-
  Static pods with the name and an image of a component. Where the body is not logged, every pod that a node creates
  counts as a static one by its name.
false_positives:
  - Nodes with custom agents as static pods
triage:
  - >-
    SELECT time, name, node_name, annotations, body_source FROM workloads WHERE username = '<identity>' AND verb = 'create' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND client_ip = '<client_ip>' ORDER BY time
references:
  - https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
covers: [WL-053]
controls: [AIS-06]
*/
WITH images AS (
  SELECT event_id, string_agg(image, ', ') AS images, string_agg(repository, ' ') AS repositories FROM containers WHERE identity_kind = 'node' GROUP BY event_id
),
made AS (
  SELECT *, replace(username, 'system:node:', '') AS node
  FROM workloads
  WHERE identity_kind = 'node' AND kind = 'Pod' AND created AND subresource IS NULL AND outcome = 'allowed'
    AND (body_source = 'none' OR coalesce(array_has(map_keys(annotations), 'kubernetes.io/config.mirror'), false))
)
SELECT made.event_id, username || ' reports unexpected static ' || object || ' in ' || coalesce(namespace, '') || coalesce(' with ' || images, '') AS reason
FROM made
LEFT JOIN images ON images.event_id = made.event_id
LEFT JOIN static_pods
  ON made.namespace = 'kube-system' AND made.name = component || '-' || node
  AND (repositories IS NULL OR contains(repositories, component) OR contains(repositories, 'kube'))
WHERE component IS NULL
