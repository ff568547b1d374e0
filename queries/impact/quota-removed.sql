/*
id: quota-removed
title: ResourceQuota or LimitRange deleted
severity: low
confidence: high
risk: 15
attack: [T1496, T1685]
tactics: [Impact, Defense Impairment]
description: >-
  A ResourceQuota or a LimitRange is deleted. Workloads of the namespace can use unlimited resources, as cryptominers
  do.
blind_spots: >-
  Raised quotas: see quota-changed.
false_positives:
  - Namespaces that are set up again
triage:
  - SELECT time, verb, resource, namespace, name, outcome FROM events WHERE username = '<identity>' AND verb IN ('delete', 'deletecollection') ORDER BY time
  - SELECT time, username, verb, kind, name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
  - SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1496/
covers: [IM-005]
*/
SELECT
  event_id,
  CASE verb WHEN 'deletecollection' THEN 'deletes all ' || resource ELSE 'deletes ' || resource || ' ' || coalesce(name, '') END
    || coalesce(' in ' || namespace, '') AS reason
FROM events
WHERE resource IN ('resourcequotas', 'limitranges') AND subresource IS NULL AND verb IN ('delete', 'deletecollection')
  AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'system')
