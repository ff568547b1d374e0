/*
id: posture-copied-by-patch
title: Workload security settings copied or moved by a JSON patch
severity: high
confidence: medium
risk: 60
attack: [T1610, T1036]
tactics: [Execution, Stealth]
description: >-
  A JSON Patch copies or moves a value onto a field that decides what a workload may do or what it runs. The value
  then stands in no request: it is that of a version which the log may not show. Nobody has to do that to write
  privileged or an image. It is high for the settings with which a container leaves its node, medium for what it runs.
  A value that the log does show counts where it is a setting that is not false or empty. What follows a patch of more
  work than podtrail does counts, too.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Controllers that rearrange an object by JSON Patch
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
  object || ': a patch copies or moves '
    || string_agg(DISTINCT coalesce(shown, 'a value that is not in the log') || ' to ' || place, ', ') AS reason
FROM (
  SELECT
    event_id, object, coalesce(known.severity, 'high') AS severity,
    copy['value'] AS shown, CASE copy['field'] WHEN '' THEN 'the whole' ELSE copy['field'] END AS place
  FROM (SELECT event_id, object, unnest(copied) AS copy FROM pods_workloads) AS written
  LEFT JOIN copied_fields AS known
    ON copy['field'] = known.field OR ends_with(copy['field'], '.' || known.field)
  WHERE copy['field'] = ''
    OR (known.field IS NOT NULL AND copy['value'] IS NULL)
    OR (known.flag = 'yes' AND copy['value'] NOT IN ('false', 'null', '""', '[]', '{}', '"Default"'))
)
GROUP BY event_id, object
