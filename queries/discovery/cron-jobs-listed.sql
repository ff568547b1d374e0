/*
id: cron-jobs-listed
title: CronJob enumeration
severity: info
confidence: high
risk: 1
attack: [T1613]
tactics: [Discovery]
description: >-
  An identity lists CronJobs. An attacker learns from them what runs on a schedule, and with which accounts and images.
blind_spots: Lists that the audit policy does not log.
false_positives:
  - Daily work of people and consoles
references:
  - https://attack.mitre.org/techniques/T1613/
covers: [DI-011]
*/
SELECT
  min(event_id) AS event_id,
  coalesce(username, 'an unknown identity') || ' lists CronJobs' || coalesce(' in ' || namespace, ' of all namespaces') || ', ' || count(*)
    || CASE count(*) WHEN 1 THEN ' time' ELSE ' times' END AS reason
FROM events
WHERE resource = 'cronjobs' AND verb = 'list' AND subresource IS NULL AND outcome = 'allowed'
  AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
GROUP BY cluster, username, impersonated_username, namespace
