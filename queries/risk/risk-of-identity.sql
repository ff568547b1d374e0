/*
id: risk-of-identity
title: Identity with many suspicious actions in one session
severity: high
confidence: medium
risk: 0
attack: [T1610]
tactics: [Execution]
input: facts
description: >-
  The risks of all detections that match the actions of a person or an account in one session are added up. A session
  ends after an hour without a match. Each detection counts once and is named with its points. An intrusion matches
  detections of many kinds; everyday work matches the same few repeatedly.
blind_spots: An intruder who waits an hour between steps, or changes identity with every step.
false_positives:
  - A person who sets up a cluster
triage:
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
  - SELECT * FROM identities WHERE username = '<identity>'
  - SELECT * FROM grants WHERE subject_name = '<identity>' OR granted_by = '<identity>'
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [T1610-risk]
controls: [IAM-16]
parameters:
  high: {type: integer, default: 500, description: Points for severity high}
  critical: {type: integer, default: 700, description: Points for severity critical}
*/
-- The points of a finding are those of its detection, but at most 5 for info, 15 for low and 45 for medium: a detection
-- may report several severities.
WITH sittings AS (
  SELECT *, session_number(time, 3600) OVER (PARTITION BY cluster, identity ORDER BY time, event_id) AS sitting
  FROM facts
  WHERE risk > 0 AND identity IS NOT NULL
),
-- One event of each resource that a detection reports is evidence.
acts AS (
  SELECT
    cluster, identity, sitting, detection, min(title) AS title, min(time) AS time,
    max(least(risk, CASE severity WHEN 'info' THEN 5 WHEN 'low' THEN 15 WHEN 'medium' THEN 45 ELSE risk END)) AS risk,
    first_value(event_id ORDER BY time, event_id) AS event_id
  FROM sittings
  GROUP BY cluster, identity, sitting, detection, resource
),
points AS (
  SELECT
    cluster, identity, sitting, detection, min(title) AS title, min(time) AS time, max(risk) AS risk,
    array_agg(event_id ORDER BY time, event_id) AS event_ids
  FROM acts
  GROUP BY cluster, identity, sitting, detection
)
SELECT
  -- First-seen detections add to the sum, but are not evidence.
  array_distinct(flatten(array_agg(event_ids ORDER BY time, detection) FILTER (WHERE NOT starts_with(detection, 'first-')))) AS event_id,
  CASE WHEN sum(risk) >= $critical THEN 'critical' ELSE 'high' END AS severity,
  sum(risk) AS risk,
  sum(risk) || ' points: ' || string_agg('+' || risk || ' ' || title, ', ' ORDER BY risk DESC, title) AS reason
FROM points
GROUP BY cluster, identity, sitting
-- risk-of-workload-write reports a single bad write.
HAVING sum(risk) >= $high AND cardinality(array_distinct(flatten(array_agg(event_ids)))) > 2
