/*
id: volume-above-baseline
title: Workload writes in a day above the baseline
severity: low
confidence: low
risk: 10
attack: [T1610]
tactics: [Execution]
description: >-
  An identity writes more workloads in a day than the mean of its earlier days plus three standard deviations.
blind_spots: Logs of less than a week. Slow increases.
false_positives:
  - Days of a release or an upgrade
triage:
  - >-
    SELECT username, first_seen, last_seen, requests, denied, hours, namespaces FROM identities WHERE username = '<identity>'
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-024]
controls: [AIS-06]
parameters:
  days:
    type: integer
    default: 5
    description: Number of earlier days with work that establish a baseline
  writes:
    type: integer
    default: 20
    description: Minimum number of writes in a day
  examples:
    type: integer
    default: 50
    description: Number of events of the day given as evidence
*/
WITH daily AS (
  SELECT
    cluster, identity, date_trunc('day', time) AS day, count(*) AS writes,
    array_agg(event_id ORDER BY time) FILTER (WHERE in_scope) AS events
  FROM history_writes
  GROUP BY cluster, identity, date_trunc('day', time)
),
compared AS (
  SELECT
    *,
    count(*) OVER before AS days,
    avg(writes) OVER before AS mean,
    coalesce(stddev_pop(writes) OVER before, 0) AS deviation
  FROM daily
  WINDOW before AS (PARTITION BY cluster, identity ORDER BY day ROWS BETWEEN 30 PRECEDING AND 1 PRECEDING)
)
SELECT
  array_slice(events, 1, $examples) AS event_id,
  coalesce(identity, 'an unknown identity') || ' writes ' || writes || ' workloads on ' || to_char(day, '%Y-%m-%d') || '; on ' || days
    || ' earlier days it wrote ' || CAST(round(mean) AS BIGINT) || ' a day' AS reason
FROM compared
WHERE events IS NOT NULL AND days >= $days AND writes >= $writes AND writes > mean + 3 * deviation AND writes > 2 * mean
