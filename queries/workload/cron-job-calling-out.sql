/*
id: cron-job-calling-out
title: CronJob that calls an external address
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1610, T1053.007, T1105]
tactics: [Execution, Persistence, Command and Control]
description: >-
  A CronJob is written that exchanges data with a public IP address, or, if it runs every five minutes or more often,
  with any public host name. Malware persists and exfiltrates data this way.
blind_spots: Writes logged at Metadata level. Scripts inside images and volumes.
false_positives:
  - Pings of monitoring services by IP address
references:
  - https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
  - https://attack.mitre.org/techniques/T1053/007/
covers: [WL-051]
controls: [AIS-06]
*/
SELECT DISTINCT event_id, object || ' at ' || coalesce(schedule, 'an unknown schedule') || ' runs: ' || left(line, 300) AS reason
FROM (
  SELECT
    event_id, object, schedule, is_frequent,
    concat_ws(' ', container['image'], array_to_string(container['command'], ' '), array_to_string(container['args'], ' ')) AS line
  FROM (SELECT event_id, object, schedule, is_frequent, unnest(containers) AS container FROM cron_jobs)
)
WHERE
  -- Addresses of private networks, of the node itself and of link-local services are removed first.
  regexp_like(
    regexp_replace(line, '\b(10\.[0-9]+|127\.[0-9]+|192\.168|169\.254|172\.(1[6-9]|2[0-9]|3[01])|0\.0)\.[0-9]+\.[0-9]+', ' ', 'g'),
    '((https?|ftp|tcp)://([^/@\s]*@)?|\b(nc|ncat|netcat|curl|wget|telnet|socat)\b[^|;&]*[\s:@/])[0-9]{1,3}(\.[0-9]{1,3}){3}\b', 'i')
  OR (is_frequent
    AND regexp_like(
      regexp_replace(line, '(https?|ftp)://([^/@\s]*@)?[a-z0-9-]+(\.[a-z0-9-]+)*(\.svc|\.local|\.internal|\.lan|\.corp|\.test)(:[0-9]+)?([/\s]|$)', ' ', 'gi'),
      '\b(curl|wget|fetch)\b.*(https?|ftp)://([^/@\s]*@)?([a-z0-9-]+\.)+[a-z]{2,}', 'i'))
