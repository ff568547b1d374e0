/*
id: audit-gap
title: Gap in the audit log
severity: low
confidence: medium
risk: 10
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  A cluster that otherwise logs continuously has no events for a period: its log was cut, its collector failed, or audit
  logging was disabled.
blind_spots: Gaps before the log begins and after it ends.
false_positives:
  - Outages of the collector, and logs of several days with gaps between them
triage:
  - SELECT date, resource, verb, level, requests FROM coverage ORDER BY date
  - SELECT min(time), max(time), count(*) FROM stages GROUP BY source_file
  - SELECT time, username, verb, resource, name FROM events WHERE activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
covers: [DE-008]
*/
WITH minutes AS (
  SELECT
    cluster, date_bin(INTERVAL '1 minute', time) AS minute, min(event_id) AS event_id,
    bool_and(time_problem IS NOT NULL) AS is_future
  FROM stages
  -- An event with an implausible time neither ends nor begins a gap.
  WHERE time_problem IS DISTINCT FROM 'absurd'
  GROUP BY cluster, date_bin(INTERVAL '1 minute', time)
),
steps AS (
  SELECT
    *,
    lag(minute) OVER (PARTITION BY cluster ORDER BY minute) AS before,
    lag(is_future) OVER (PARTITION BY cluster ORDER BY minute) AS is_future_before
  FROM minutes
),
gaps AS (
  SELECT
    *,
    minute - before > INTERVAL '10 minutes' AS is_gap,
    count(*) OVER (PARTITION BY cluster) AS minutes,
    -- Single minutes without events, and at most a few in a row.
    count(*) FILTER (WHERE minute - before > INTERVAL '1 minute' AND minute - before <= INTERVAL '10 minutes')
      OVER (PARTITION BY cluster) AS pauses
  FROM steps
)
SELECT event_id, 'no event between ' || before || ' and ' || minute AS reason
FROM gaps
-- Only where the log otherwise has events in every minute. The time between the present and an event of the future is not a
-- gap. A log whose clock runs ahead is treated like any other.
WHERE is_gap AND is_future = is_future_before AND minutes >= 60 AND pauses * 20 <= minutes
