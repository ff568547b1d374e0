/*
id: event-deleted
title: Kubernetes Event deleted
severity: low
confidence: medium
risk: 15
attack: [T1070]
tactics: [Stealth]
description: >-
  Somebody deletes a single event: events tell what happened to a pod after it was made, and nobody needs to tidy them.
blind_spots: >-
  Events that expire by themselves.
false_positives:
  - Deletion of a namespace by hand
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
    -- One is a slip; whoever cleans up deletes several.
    count(*) OVER (PARTITION BY cluster, username, date_bin(INTERVAL '1 hour', time)) AS times
  FROM events
  WHERE activity = 'write' AND resource = 'events' AND verb IN ('delete', 'deletecollection') AND outcome = 'allowed'
    AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
)
SELECT event_id, 'event ' || coalesce(name, '') || coalesce(' in ' || namespace, '') || ' is deleted by ' || coalesce(username, 'an unknown identity') AS reason
FROM deleted
WHERE verb = 'delete' AND times = 1
