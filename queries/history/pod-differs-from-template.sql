/*
id: pod-differs-from-template
title: Pod container missing from its template
severity: low
confidence: medium
risk: 15
attack: [T1610, T1525]
tactics: [Persistence, Execution]
description: >-
  A controller creates a pod, and the stored object has a container that the owner's template does not name: a webhook
  injected it. A container injected into the pods of many owners belongs to a service mesh or an agent and is left out.
blind_spots: >-
  Logs without response bodies of pods and request bodies of their owners. Webhooks that change existing containers.
false_positives:
  - Injectors that serve a few workloads
triage:
  - SELECT time, username, object, namespace, image FROM containers WHERE workload_name = '<name>' ORDER BY time
  - >-
    SELECT time, username, name, url, service_namespace, service_name, operations, resources FROM webhooks ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-022]
controls: [AIS-06]
parameters:
  owners:
    type: integer
    default: 2
    description: Maximum number of owners before a container counts as an ordinary sidecar
*/
WITH written AS (
  SELECT event_id, time, cluster, kind, namespace, name, object_uid, owner, containers, outcome, body_source, subresource, in_scope
  FROM all_workloads
),
templates AS (
  SELECT cluster, kind, namespace, name, array_distinct(flatten(array_agg(names))) AS names
  FROM (
    SELECT cluster, kind, namespace, name, array_agg(c['name']) AS names
    FROM (
      SELECT event_id, cluster, kind, namespace, name, unnest(containers) AS c
      FROM written
      WHERE kind <> 'Pod' AND name IS NOT NULL AND outcome = 'allowed' AND body_source IN ('request', 'response')
    )
    GROUP BY event_id, cluster, kind, namespace, name
  )
  GROUP BY cluster, kind, namespace, name
),
added AS (
  SELECT pods.event_id, pods.cluster, pods.namespace, pods.in_scope, owner_kind, owner_name, c['name'] AS container, c['image'] AS image
  FROM (
    SELECT
      event_id, cluster, namespace, in_scope, owner['kind'] AS owner_kind, owner['name'] AS owner_name,
      unnest(containers) AS c
    FROM written
    WHERE kind = 'Pod' AND owner['controller'] AND body_source = 'response' AND outcome = 'allowed' AND subresource IS NULL
  ) AS pods
  JOIN templates
    ON templates.cluster = pods.cluster AND templates.kind = owner_kind AND templates.namespace = pods.namespace
      AND templates.name = owner_name
  WHERE c['role'] <> 'ephemeral' AND NOT array_has(names, c['name'])
),
owners AS (
  SELECT cluster, container, count(DISTINCT namespace || '/' || owner_name) AS owners FROM added GROUP BY cluster, container
)
SELECT
  array_agg(event_id) AS event_id,
  'container ' || added.container || coalesce(' with image ' || min(image), '') || ' is in pods of ' || owner_kind || ' ' || owner_name
    || ', whose template does not name it' AS reason
FROM added
JOIN owners ON owners.cluster = added.cluster AND owners.container = added.container
WHERE in_scope AND owners <= $owners
GROUP BY added.cluster, added.container, namespace, owner_kind, owner_name
