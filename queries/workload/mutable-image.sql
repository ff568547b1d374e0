/*
id: mutable-image
title: Mutable image tag
severity: info
confidence: high
risk: 1
attack: [T1610, T1525]
tactics: [Execution]
description: >-
  A workload is written with an image that has no digest, and no tag or the tag latest. The image can change without a
  change of the workload.
blind_spots: Writes logged at Metadata level, which show no containers. Other tags, which can be moved as well.
false_positives:
  - Very common in development
triage:
  - "SELECT time, username, verb, object, role, name, image, digest FROM containers WHERE event_id = '<event_id>'"
  - "SELECT min(time), max(time), username, namespace, image FROM containers WHERE image = '<image>' GROUP BY username, namespace, image"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time"
references:
  - https://attack.mitre.org/techniques/T1610/
  - https://attack.mitre.org/techniques/T1525/
covers: [WL-037]
controls: [AIS-06]
*/
SELECT event_id, string_agg(DISTINCT role || ' ' || coalesce(name, '') || ' of ' || object || ' uses image ' || image, ', ') AS reason
FROM workload_images
WHERE outcome = 'allowed' AND NOT made_by_controller
  AND digest IS NULL AND coalesce(tag, 'latest') = 'latest'
GROUP BY event_id
