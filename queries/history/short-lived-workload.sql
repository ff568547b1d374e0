/*
id: short-lived-workload
aliases: [short-lived-privileged-workload]
title: Workload created and soon deleted by the same identity
severity: low
confidence: medium
risk: 15
attack: [T1610, T1070]
tactics: [Execution, Stealth]
description: >-
  A person creates a DaemonSet, Deployment, StatefulSet, CronJob, Job or ReplicationController and deletes it within
  minutes: the workload has run, and its object is gone. Single pods, which come and go all day, count only with the
  privileged Pod Security level (privileged, host namespaces, hostPath), by any identity: this indicates brief access to
  a node.
blind_spots: Objects deleted by another identity or with their owner. For the security level, logs without bodies.
false_positives:
  - Tests and mistakes
  - Administrators who debug a node with kubectl debug or their own pod
triage:
  - >-
    SELECT time, username, verb, subresource, outcome, client_ip FROM events WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-015]
controls: [AIS-06]
parameters:
  within_seconds: {type: integer, default: 600, description: Maximum time until the deletion}
  privileged_within_seconds: {type: integer, default: 900, description: Maximum time until the deletion of a privileged workload}
*/
WITH followed AS (
  SELECT
    *,
    last_value(CASE WHEN step = 'created' THEN event_id END) IGNORE NULLS OVER earlier AS first_event,
    last_value(CASE WHEN step = 'created' THEN time END) IGNORE NULLS OVER earlier AS first_time
  FROM history_steps
  WHERE step IN ('created', 'deleted')
  WINDOW earlier AS (PARTITION BY cluster, identity, resource, namespace, name ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
numbered AS (
  SELECT
    followed.*, coalesce(pod_security_level = 'privileged', false) AS is_privileged,
    date_diff('second', first_time, followed.time) AS seconds,
    row_number() OVER (PARTITION BY followed.cluster, identity, followed.resource, followed.namespace, followed.name, first_event ORDER BY followed.time, followed.event_id) AS nth
  FROM followed
  LEFT JOIN (SELECT cluster, event_id, pod_security_level FROM workloads) AS made
    ON made.cluster = followed.cluster AND made.event_id = first_event
  WHERE step = 'deleted' AND first_event IS NOT NULL
)
SELECT
  make_array(first_event, event_id) AS event_id,
  identity || ' deletes ' || CASE WHEN is_privileged THEN 'the privileged ' ELSE '' END || what || ' ' || seconds || ' s after creating it' AS reason
FROM numbered
WHERE nth = 1
  AND (is_privileged AND seconds <= $privileged_within_seconds
    OR identity_kind = 'human' AND resource <> 'pods' AND seconds <= $within_seconds)
