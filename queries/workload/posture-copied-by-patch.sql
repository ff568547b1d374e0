/*
id: posture-copied-by-patch
title: Workload security settings copied or moved by a JSON patch
severity: high
confidence: medium
risk: 60
attack: [T1610, T1036]
tactics: [Execution, Stealth]
description: >-
  A JSON Patch copies or moves a value to a security-relevant field of a workload. The request does not contain the
  value: it comes from a version that may not be in the log. Ordinary clients set such fields directly. Severity
  is high for settings that allow a container escape, and medium for what the container runs. A known value counts where
  it is neither false nor empty. Patch operations after a patch that exceeds podtrail's work limit count too.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Controllers that rearrange an object with JSON Patch
triage:
  - >-
    SELECT verb, object, copied, partial_answer, body_source FROM workloads WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, request_object FROM events WHERE namespace = '<namespace>' AND name = '<name>' AND activity = 'workload' ORDER BY time
references:
  - https://datatracker.ietf.org/doc/html/rfc6902#section-4.5
covers: [WL-060]
controls: [AIS-06]
*/
SELECT
  event_id,
  CASE WHEN bool_or(severity = 'high') THEN 'high' ELSE 'medium' END AS severity,
  object || ' changed by a patch that copies or moves '
    || string_agg(DISTINCT coalesce(shown, 'a value that is not in the log') || ' to ' || place, ', ') AS reason
FROM (
  SELECT
    event_id, object, coalesce(known.severity, 'high') AS severity,
    copy['value'] AS shown, CASE copy['field'] WHEN '' THEN 'the whole object' ELSE copy['field'] END AS place
  FROM (SELECT event_id, object, unnest(copied) AS copy FROM authored_workloads) AS written
  LEFT JOIN copied_fields AS known
    ON copy['field'] = known.field OR ends_with(copy['field'], '.' || known.field)
  WHERE copy['field'] = ''
    OR (known.field IS NOT NULL AND copy['value'] IS NULL)
    OR (known.flag = 'yes' AND copy['value'] NOT IN ('false', 'null', '""', '[]', '{}', '"Default"'))
)
GROUP BY event_id, object
