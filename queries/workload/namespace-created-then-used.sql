/*
id: namespace-created-then-used
title: Namespace created and used by the same person
severity: low
confidence: medium
risk: 8
attack: [T1610, T1036]
tactics: [Execution, Stealth]
description: >-
  A person creates a namespace and soon after writes a workload in it. Such a namespace has no quotas or policies.
blind_spots: Namespaces created by automation. Workloads created later.
false_positives:
  - Developers who set up a namespace to experiment
triage:
  - >-
    SELECT time, username, object, outcome FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WL-079]
controls: [AIS-06]
parameters:
  within_seconds:
    type: integer
    default: 3600
    description: How long a namespace counts as new
*/
WITH created AS (
  SELECT cluster, username, name AS namespace, max(time) AS created_at, max(event_id) AS created_event
  FROM all_events
  WHERE (resource = 'namespaces' OR (api_group = 'project.openshift.io' AND resource IN ('projects', 'projectrequests'))) AND created AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous')
    AND subresource IS NULL
  GROUP BY cluster, username, name
),
used AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY cluster, username, namespace ORDER BY time, event_id) AS nth
  FROM (
    SELECT workloads.*, created_at
    FROM workloads
    JOIN created
      ON workloads.cluster = created.cluster AND workloads.username = created.username
        AND workloads.namespace = created.namespace
    WHERE outcome = 'allowed' AND time >= created_at
      AND date_diff('second', created_at, time) <= $within_seconds
  )
)
SELECT event_id, username || ' created namespace ' || namespace || ' and writes ' || object || ' in it' AS reason
FROM used
WHERE nth = 1
