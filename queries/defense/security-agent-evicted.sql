/*
id: security-agent-evicted
title: Pods of a security agent deleted again and again
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  Somebody deletes or evicts pods of a security product several times within an hour: an agent that starts anew all
  the time watches nothing.
blind_spots: >-
  Agents under other names, whose image the log does not show. Fewer than three.
false_positives:
  - Restarts by hand on every node; a rollout restart does not show here
triage:
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, verb, subresource, name FROM events WHERE resource = 'pods' AND namespace = '<namespace>' AND activity = 'workload' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1685/
covers: [DE-010]
*/
SELECT
  array_agg(event_id) AS event_id,
  coalesce(username, 'nobody') || ' deletes or evicts pods of ' || product || ' in ' || coalesce(namespace, '') || ', in ' || count(*) || ' requests' AS reason
FROM events
JOIN security_agent_objects AS agent USING (cluster, resource, namespace, name)
WHERE activity = 'workload' AND resource = 'pods' AND outcome = 'allowed'
  AND (verb IN ('delete', 'deletecollection') OR (verb = 'create' AND subresource = 'eviction'))
  AND identity_kind IN ('human', 'service_account', 'anonymous')
GROUP BY cluster, username, namespace, product, date_bin(INTERVAL '1 hour', time)
HAVING count(*) >= 3 OR count(*) FILTER (WHERE verb = 'deletecollection') > 0
