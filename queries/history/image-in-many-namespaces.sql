/*
id: image-in-many-namespaces
title: New image in many namespaces
severity: medium
confidence: medium
risk: 30
attack: [T1610]
tactics: [Execution, Lateral Movement]
description: >-
  An image that is new to the log appears in several namespaces within an hour, created by the same person. The cause is
  a backdoor that spreads, or an agent rolled out by hand.
blind_spots: Images with the name of a known one. Rollouts by automation.
false_positives:
  - Manual rollout of an agent
triage:
  - SELECT time, username, object, namespace, image FROM containers WHERE image = '<image>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-011]
controls: [AIS-06]
parameters:
  namespaces:
    type: integer
    default: 4
    description: Minimum number of namespaces
  within_seconds:
    type: integer
    default: 3600
    description: Maximum time after the first use of the image
  learning_seconds:
    type: integer
    default: 60
    description: How long the log must run before an image counts as new
*/
WITH images AS (
  SELECT
    event_id, cluster, time, identity, identity_kind, namespace, verb, in_scope,
    registry || '/' || repository AS repository
  FROM history_writes_images
  WHERE repository IS NOT NULL AND namespace IS NOT NULL
),
aged AS (
  SELECT
    *,
    min(time) OVER (PARTITION BY cluster, repository) AS first_time,
    row_number() OVER (PARTITION BY cluster, repository, identity, namespace ORDER BY time, event_id) AS nth
  FROM images
),
spread AS (
  SELECT
    cluster, repository, identity,
    array_agg(event_id ORDER BY time) AS events,
    array_agg(namespace ORDER BY time) AS namespaces
  FROM aged
  JOIN history_begins USING (cluster)
  WHERE nth = 1 AND in_scope AND identity_kind IN ('human', 'anonymous')
    AND date_diff('second', log_begins, first_time) >= $learning_seconds
    AND date_diff('second', first_time, time) <= $within_seconds
  GROUP BY cluster, repository, identity
)
SELECT
  events AS event_id,
  coalesce(identity, 'an unknown identity') || ' deploys the new image ' || repository || ' to ' || cardinality(namespaces) || ' namespaces: '
    || array_to_string(array_slice(namespaces, 1, 8), ', ') AS reason
FROM spread
WHERE cardinality(namespaces) >= $namespaces
