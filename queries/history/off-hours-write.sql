/*
id: off-hours-write
title: Workload write by a person outside usual hours
severity: low
confidence: low
risk: 12
attack: [T1610, T1078]
tactics: [Execution, Initial Access]
description: >-
  A person writes a workload at an hour of the day that is several hours away from every hour at which people of this
  cluster wrote before. The hours come from the log and the look-back, so no time zone is configured.
blind_spots: >-
  Logs of less than a day. Clusters with people in all time zones, whose hours cover the day. Regular work at night,
  which becomes part of the baseline.
false_positives:
  - People on call
  - The first morning of a log that begins in an afternoon
triage:
  - >-
    SELECT username, first_seen, last_seen, requests, denied, hours, namespaces FROM identities WHERE username = '<identity>'
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-008]
controls: [AIS-06]
parameters:
  hours_apart:
    type: integer
    default: 4
    description: Minimum distance in hours from any working hour
  history_hours:
    type: integer
    default: 12
    description: Hours of earlier work that establish a baseline
  writes:
    type: integer
    default: 10
    description: Number of writes by people that establish a baseline
*/
WITH people AS (
  SELECT event_id, time, cluster, coalesce(impersonated_username, username) AS identity, activity, outcome, subresource, resource, name, namespace, verb, in_scope
  FROM all_events
  WHERE identity_kind = 'human' AND activity IN ('workload', 'rbac', 'write') AND outcome = 'allowed'
),
-- One row per hour of the log in which people wrote. An hour of one day counts from the next hour on.
worked AS (
  SELECT cluster, date_trunc('hour', time) AS hour, count(*) AS writes FROM people GROUP BY cluster, date_trunc('hour', time)
),
known AS (
  SELECT
    cluster, hour, CAST(date_part('hour', hour) AS INT) AS of_day,
    min(hour) OVER (PARTITION BY cluster) AS first_hour,
    sum(writes) OVER (PARTITION BY cluster ORDER BY hour ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS writes_before,
    array_agg(CAST(date_part('hour', hour) AS INT)) OVER (PARTITION BY cluster ORDER BY hour ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS hours_before
  FROM worked
),
distances AS (
  SELECT cluster, hour, first_hour, writes_before, of_day, unnest(hours_before) AS other FROM known WHERE hours_before IS NOT NULL
),
unusual AS (
  SELECT cluster, hour, min(least((of_day - other + 24) % 24, (other - of_day + 24) % 24)) AS hours_apart
  FROM distances
  WHERE date_diff('second', first_hour, hour) >= $history_hours * 3600 AND writes_before >= $writes
  GROUP BY cluster, hour
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  coalesce(identity, 'an unknown identity') || ' writes ' || count(*) || ' workloads at ' || min(to_char(unusual.hour, '%Y-%m-%d %H'))
    || ' h UTC, ' || min(hours_apart) || ' hours away from any earlier working hour' AS reason
FROM people
JOIN unusual ON people.cluster = unusual.cluster AND date_trunc('hour', people.time) = unusual.hour
WHERE in_scope AND activity = 'workload' AND (subresource IS NULL OR subresource = 'ephemeralcontainers')
  AND verb IN ('create', 'update', 'patch') AND hours_apart >= $hours_apart
GROUP BY people.cluster, identity, unusual.hour
