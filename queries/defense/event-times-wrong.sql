/*
id: event-times-wrong
title: Audit events with implausible times
severity: low
confidence: medium
risk: 10
attack: [T1070]
tactics: [Stealth]
description: >-
  Events are dated before 1970, after 2199 or hours after they were read. The API server sets these times, so its clock
  is wrong or the log was tampered with. An implausible time removes an event from the order in which other detections
  judge, so it marks neither the beginning nor the end of a log.
blind_spots: Wrong times that are plausible.
false_positives:
  - A node whose clock runs ahead, or is not set when the API server starts
triage:
  - >-
    SELECT time, time_problem, extra, source_file, source_line, username, verb, resource, name FROM stages WHERE time_problem IS NOT NULL
references:
  - https://attack.mitre.org/techniques/T1070/
  - https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
covers: [DE-008]
*/
SELECT
  array_agg(event_id ORDER BY event_id) AS event_id,
  count(*) || ' events are dated ' || CASE time_problem WHEN 'future' THEN 'hours after they were read' ELSE 'at an implausible time' END
    || ', in ' || coalesce(source_file, 'an unknown source') AS reason
FROM stages
WHERE time_problem IS NOT NULL
GROUP BY cluster, time_problem, source_file
