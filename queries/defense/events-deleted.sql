/*
id: events-deleted
aliases: [event-deleted]
title: Kubernetes Events deleted
severity: medium
confidence: medium
risk: 30
attack: [T1070]
tactics: [Stealth]
description: >-
  An identity deletes Kubernetes Events. Events record what happened to a pod, and expire without manual cleanup. A
  single deletion within an hour is low.
blind_spots: Events that expire.
false_positives:
  - Manual deletion of a namespace
references:
  - https://attack.mitre.org/techniques/T1070/
covers: [DE-001]
*/
SELECT
  array_agg(event_id ORDER BY time, event_id) AS event_id,
  -- One deletion may be a mistake; an attacker who removes traces deletes several.
  CASE WHEN count(*) >= 2 OR bool_or(verb = 'deletecollection') THEN 'medium' ELSE 'low' END AS severity,
  coalesce(username, 'an unknown identity') || ' deletes events' || coalesce(' in ' || array_to_string(array_agg(DISTINCT namespace), ', '), '')
    || ', in ' || count(*) || ' requests' AS reason
FROM events
WHERE activity = 'write' AND resource = 'events' AND verb IN ('delete', 'deletecollection') AND outcome = 'allowed'
  AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
GROUP BY cluster, username, date_bin(INTERVAL '1 hour', time)
