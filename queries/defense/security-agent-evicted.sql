/*
id: security-agent-evicted
title: Security agent pods deleted repeatedly
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  An identity deletes or evicts pods of a security product several times within an hour. An agent that restarts
  continuously monitors nothing.
blind_spots: Agents under other names, whose image the log does not show. Fewer than three requests.
false_positives:
  - Manual restarts on every node; a rollout restart is not reported here
triage:
  - >-
    SELECT time, username, verb, subresource, name FROM events WHERE resource = 'pods' AND namespace = '<namespace>' AND activity = 'workload' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1685/
covers: [DE-010]
*/
SELECT
  array_agg(deleted.event_id) AS event_id,
  coalesce(deleted.username, 'an unknown identity') || ' deletes or evicts pods of ' || agent.product || ' in ' || coalesce(deleted.namespace, '')
    || ', in ' || count(*) || ' requests' AS reason
FROM events AS deleted
JOIN security_agent_objects AS agent
  ON agent.cluster = deleted.cluster AND agent.resource = deleted.resource
  AND (agent.namespace IS NOT DISTINCT FROM deleted.namespace) AND (agent.name IS NOT DISTINCT FROM deleted.name)
WHERE deleted.activity = 'workload' AND deleted.resource = 'pods' AND deleted.outcome = 'allowed'
  AND (deleted.verb IN ('delete', 'deletecollection') OR (deleted.verb = 'create' AND deleted.subresource = 'eviction'))
  AND deleted.identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
GROUP BY deleted.cluster, deleted.username, deleted.namespace, agent.product, date_bin(INTERVAL '1 hour', deleted.time)
HAVING count(*) >= 3 OR count(*) FILTER (WHERE deleted.verb = 'deletecollection') > 0
