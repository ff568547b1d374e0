/*
id: quota-changed
title: ResourceQuota or LimitRange changed by a person
severity: info
confidence: high
risk: 3
attack: [T1496]
tactics: [Impact]
description: A person changes a ResourceQuota or a LimitRange.
blind_spots: >-
  The direction of the change: raised or lowered.
false_positives:
  - Administrators at work
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
  'changes ' || resource || ' ' || coalesce(name, '') || coalesce(' in ' || namespace, '') AS reason
FROM events
WHERE resource IN ('resourcequotas', 'limitranges') AND subresource IS NULL AND verb IN ('update', 'patch')
  AND outcome = 'allowed' AND identity_kind = 'human'
