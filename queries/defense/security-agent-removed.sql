/*
id: security-agent-removed
title: Security agent removed or changed
severity: medium
confidence: medium
risk: 40
attack: [T1562.001]
tactics: [Defense Evasion]
description: >-
  A workload of a security product is deleted or scaled away: what it watched is dark now.
blind_spots: >-
  Agents under other names.
false_positives:
  - Upgrades by hand
triage:
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
  - "SELECT time, username, verb, outcome FROM events WHERE resource = '<resource>' AND name = '<name>' ORDER BY time"
references:
  - https://attack.mitre.org/techniques/T1562/001/
covers: [DE-010]
*/
SELECT event_id, verb || ' of ' || concat_ws('/', resource, subresource) || ' ' || coalesce(name, '') || ' in ' || coalesce(namespace, '') || ', which belongs to ' || product AS reason
FROM events
JOIN security_agents ON regexp_like(coalesce(name, ''), '(^|-)(' || agent || ')(-|$)')
WHERE activity = 'workload' AND resource IN ('daemonsets', 'deployments', 'statefulsets') AND outcome = 'allowed'
  AND (verb IN ('delete', 'deletecollection') OR (subresource = 'scale' AND scale_replicas = 0))
  AND identity_kind IN ('human', 'service_account', 'anonymous')
