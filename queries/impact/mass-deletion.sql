/*
id: mass-deletion
title: Mass deletion of workloads or volumes
aliases: [collection-deleted]
severity: medium
confidence: medium
risk: 40
attack: [T1485, T1489]
tactics: [Impact]
description: >-
  An identity deletes several workloads, volumes or namespaces that it did not create, within seconds, or all workloads,
  volumes or services of a kind in one request. Pods, jobs and ReplicaSets that are deleted one by one are left out
  because they are short-lived, and so are objects deleted with their namespace or owner.
blind_spots: >-
  Slow deletion, and workloads scaled to zero. Objects created before the log and the look-back count as another
  identity's.
false_positives:
  - Removal of an application with kubectl delete -f or by uninstalling its chart
  - Tools that clean up test namespaces
references:
  - https://attack.mitre.org/techniques/T1485/
covers: [IM-002]
parameters:
  objects:
    type: integer
    default: 3
    description: Number of objects
  pause_seconds:
    type: integer
    default: 5
    description: Pause that ends an episode
*/
WITH made AS (
  SELECT DISTINCT cluster, username, resource, namespace, name
  FROM all_events
  WHERE status_code = 201 AND outcome = 'allowed' AND subresource IS NULL AND activity IN ('workload', 'write')
),
deleted AS (
  SELECT
    event_id, cluster, username, resource, name, time,
    -- For the deletion of a namespace, the namespace is the object.
    CASE WHEN resource = 'namespaces' THEN NULL ELSE namespace END AS place
  FROM events
  LEFT ANTI JOIN made ON events.cluster = made.cluster AND events.username = made.username AND events.name = made.name
    AND events.resource = made.resource AND coalesce(events.namespace, '') = coalesce(made.namespace, '')
  WHERE verb = 'delete' AND subresource IS NULL AND outcome = 'allowed'
    AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
    AND resource IN (
      'deployments', 'statefulsets', 'daemonsets', 'cronjobs', 'replicationcontrollers', 'persistentvolumeclaims',
      'persistentvolumes', 'namespaces'
    )
),
episodes AS (
  SELECT *, session_number(time, $pause_seconds) OVER (PARTITION BY cluster, username, place ORDER BY time, event_id) AS episode
  FROM deleted
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  coalesce(username, 'an unknown identity') || ' deletes ' || count(DISTINCT resource || '/' || name) || ' objects'
    || coalesce(' in ' || place, '') || ': '
    || array_to_string(array_slice(array_sort(array_agg(DISTINCT resource || ' ' || name)), 1, 10), ', ') AS reason
FROM episodes
GROUP BY cluster, username, place, episode
HAVING count(DISTINCT resource || '/' || name) >= $objects
UNION ALL
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  coalesce(username, 'an unknown identity') || ' deletes ' || CASE WHEN bool_and(has_selector) THEN 'selected ' ELSE 'all ' END
    || resource || coalesce(' in ' || namespace, '') || ' in one request' AS reason
FROM (
  SELECT *, coalesce(query_value(request_uri, 'labelSelector'), query_value(request_uri, 'fieldSelector'), '') <> '' AS has_selector
  FROM events
  WHERE verb = 'deletecollection' AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'system', 'node')
    AND resource IN (
      'deployments', 'statefulsets', 'daemonsets', 'replicasets', 'cronjobs', 'replicationcontrollers', 'pods', 'services',
      'persistentvolumeclaims', 'persistentvolumes', 'namespaces'
    )
)
GROUP BY cluster, username, api_group, resource, namespace
