/*
id: quota-changed
title: ResourceQuota or LimitRange deleted or changed
aliases: [quota-removed]
severity: low
confidence: high
risk: 15
attack: [T1496, T1685]
tactics: [Impact, Defense Impairment]
description: >-
  A ResourceQuota or a LimitRange is deleted, so that workloads of the namespace can use unlimited resources, as
  cryptominers do (low), or a person changes one (info).
blind_spots: >-
  The direction of a change: raised or lowered.
false_positives:
  - Administrators at work
  - Namespaces that are set up again
references:
  - https://attack.mitre.org/techniques/T1496/
covers: [IM-005]
*/
SELECT
  event_id,
  CASE WHEN verb IN ('delete', 'deletecollection') THEN 'low' ELSE 'info' END AS severity,
  CASE verb
    WHEN 'deletecollection' THEN 'deletes all ' || resource
    WHEN 'delete' THEN 'deletes ' || resource || ' ' || coalesce(name, '')
    ELSE 'changes ' || resource || ' ' || coalesce(name, '')
  END || coalesce(' in ' || namespace, '') AS reason
FROM events
WHERE resource IN ('resourcequotas', 'limitranges') AND subresource IS NULL AND outcome = 'allowed'
  AND ((verb IN ('delete', 'deletecollection') AND identity_kind NOT IN ('controller', 'system'))
    OR (verb IN ('update', 'patch') AND identity_kind = 'human'))
