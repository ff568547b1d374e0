/*
id: risk-of-workload-write
title: High-risk workload write (combined signals)
severity: high
confidence: medium
risk: 0
attack: [T1610]
tactics: [Execution]
input: facts
description: >-
  Several facts that are harmless one by one indicate a risk together. The risks of all detections that match one
  workload write are added up, and each is named with its points. Each detection counts once per write.
blind_spots: Facts that no other detection sees. Findings hidden by exceptions, which have no points.
false_positives:
  - A new network plugin, storage driver or security sensor, installed by a person for the first time
triage:
  - SELECT * FROM workloads WHERE event_id = '<event_id>'
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, kind, namespace, name, client_ip, user_agent, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [T1610-risk]
controls: [AIS-06]
parameters:
  high: {type: integer, default: 170, description: Points for severity high}
  critical: {type: integer, default: 300, description: Points for severity critical}
*/
-- The points of a finding are those of its detection, but at most 5 for info, 15 for low and 45 for medium: a detection
-- may report several severities.
WITH points AS (
  SELECT
    facts.cluster, facts.event_id, detection, min(title) AS title,
    max(least(risk, CASE severity WHEN 'info' THEN 5 WHEN 'low' THEN 15 WHEN 'medium' THEN 45 ELSE risk END)) AS risk
  FROM facts
  JOIN authored_workloads AS written ON written.cluster = facts.cluster AND written.event_id = facts.event_id
  WHERE risk > 0
  GROUP BY facts.cluster, facts.event_id, detection
)
SELECT
  event_id,
  CASE WHEN sum(risk) >= $critical THEN 'critical' ELSE 'high' END AS severity,
  sum(risk) AS risk,
  sum(risk) || ' points: ' || string_agg('+' || risk || ' ' || title, ', ' ORDER BY risk DESC, title) AS reason
FROM points
GROUP BY cluster, event_id
HAVING sum(risk) >= $high
