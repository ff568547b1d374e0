/*
id: debug-or-base-image
title: Debug or base operating system image
severity: low
confidence: low
risk: 5
attack: [T1610, T1609]
tactics: [Execution]
description: >-
  A workload is written whose container uses the image of a plain Linux distribution or of a set of network tools, which
  people and attackers use to explore a cluster.
blind_spots: >-
  Writes logged at Metadata level, which show no containers. Init containers, which commonly use such images and are
  left out.
false_positives:
  - Engineers who debug, and Jobs that run a script
triage:
  - "SELECT time, username, verb, object, role, name, image, digest FROM containers WHERE event_id = '<event_id>'"
  - "SELECT min(time), max(time), username, namespace, image FROM containers WHERE image = '<image>' GROUP BY username, namespace, image"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time"
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WL-035]
controls: [AIS-06]
*/
SELECT event_id, string_agg(DISTINCT CASE role WHEN 'image volume' THEN role ELSE 'container' END || ' ' || coalesce(name, '') || ' of ' || object || ' uses image ' || coalesce(image, ''), ', ') AS reason
FROM workload_images
JOIN debug_images ON regexp_like(workload_images.repository, '(^|/)(' || debug_images.repository || ')$', 'i')
WHERE outcome = 'allowed' AND NOT made_by_controller AND role <> 'init'
GROUP BY event_id
