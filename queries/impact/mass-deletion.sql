/*
id: mass-deletion
title: Mass deletion of workloads or volumes
severity: medium
confidence: medium
risk: 40
attack: [T1485, T1489]
tactics: [Impact]
description: >-
  A person or a service account deletes several workloads, volumes or namespaces that it did not create, within seconds.
  Pods, jobs and ReplicaSets are left out because they come and go, and so are objects deleted with their namespace or
  owner.
blind_spots: >-
  Slow deletion, and workloads scaled to zero. Objects created before the log and the look-back count as another
  identity's.
false_positives:
  - Removal of an application with kubectl delete -f or by uninstalling its chart
triage:
  - SELECT time, verb, resource, namespace, name, outcome FROM events WHERE username = '<identity>' AND verb IN ('delete', 'deletecollection') ORDER BY time
  - SELECT time, username, verb, kind, name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
  - SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
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
  SELECT cluster, username, resource, namespace, name
  FROM events
  WHERE status_code = 201 AND outcome = 'allowed' AND subresource IS NULL AND activity IN ('workload', 'write')
  UNION
  SELECT cluster, username, resource, namespace, name
  FROM events_history
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
spaced AS (
  SELECT
    *,
    CASE
      WHEN date_part('epoch', time)
        - date_part('epoch', lag(time) OVER (PARTITION BY cluster, username, place ORDER BY time, event_id)) <= $pause_seconds
      THEN 0 ELSE 1
    END AS begins
  FROM deleted
),
episodes AS (
  SELECT *, sum(begins) OVER (PARTITION BY cluster, username, place ORDER BY time, event_id) AS episode FROM spaced
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  coalesce(username, 'an unknown identity') || ' deletes ' || count(DISTINCT resource || '/' || name) || ' objects'
    || coalesce(' in ' || place, '') || ': '
    || array_to_string(array_slice(array_sort(array_agg(DISTINCT resource || ' ' || name)), 1, 10), ', ') AS reason
FROM episodes
GROUP BY cluster, username, place, episode
HAVING count(DISTINCT resource || '/' || name) >= $objects
