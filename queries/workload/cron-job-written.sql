/*
id: cron-job-written
title: CronJob created or changed
aliases: [frequent-cron-job]
severity: low
confidence: medium
risk: 10
attack: [T1610, T1053.007]
tactics: [Execution, Persistence]
description: >-
  An identity creates or changes a CronJob. Its code runs repeatedly, also after the current pods are gone. The reason
  names a schedule of every five minutes or more often, as malware beacons and watchdogs have, and some health checks.
blind_spots: >-
  Schedules of writes logged at Metadata level. Lists of minutes with fewer than twelve entries do not count as
  frequent.
false_positives:
  - Backups, reports and deployments
  - Health checks and queues
references:
  - https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
  - https://attack.mitre.org/techniques/T1053/007/
covers: [WL-050, WL-051]
controls: [AIS-06]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' writes ' || object || coalesce(', schedule ' || schedule, '')
    || CASE WHEN is_frequent THEN ', every five minutes or more often' ELSE '' END AS reason
FROM cron_jobs
WHERE is_frequent OR (subresource IS NULL AND identity_kind <> 'controller')
