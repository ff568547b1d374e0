/*
id: event-deleted
title: Kubernetes Event deleted
severity: low
confidence: medium
risk: 15
attack: [T1070]
tactics: [Stealth]
description: >-
  An identity deletes a single Kubernetes Event. Events record what happened to a pod, and expire without manual
  cleanup.
blind_spots: Events that expire.
false_positives:
  - Manual deletion of a namespace
triage:
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
  - "SELECT time, username, verb, outcome FROM events WHERE resource = '<resource>' AND name = '<name>' ORDER BY time"
references:
  - https://attack.mitre.org/techniques/T1070/
covers: [DE-001]
*/
WITH deleted AS (
  SELECT
    event_id, cluster, username, verb, namespace, name,
    -- One deletion may be a mistake; an attacker who removes traces deletes several.
    count(*) OVER (PARTITION BY cluster, username, date_bin(INTERVAL '1 hour', time)) AS times
  FROM events
  WHERE activity = 'write' AND resource = 'events' AND verb IN ('delete', 'deletecollection') AND outcome = 'allowed'
    AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
)
SELECT event_id, 'event ' || coalesce(name, '') || coalesce(' in ' || namespace, '') || ' deleted by ' || coalesce(username, 'an unknown identity') AS reason
FROM deleted
WHERE verb = 'delete' AND times = 1
