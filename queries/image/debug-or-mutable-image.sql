/*
id: debug-or-mutable-image
title: Debug, base or mutable image
aliases: [debug-or-base-image, mutable-image]
severity: low
confidence: low
risk: 5
attack: [T1610, T1609, T1525]
tactics: [Execution]
description: >-
  A workload is written whose container uses the image of a plain Linux distribution or of a set of network tools, which
  people and attackers use to explore a cluster (low), or an image that has no digest, and no tag or the tag latest, so
  that it can change without a change of the workload (info).
blind_spots: Debug images of init containers, which commonly use such images. Other tags, which can be moved as well.
false_positives:
  - Engineers who debug, and Jobs that run a script
  - Mutable tags, which are very common in development
references:
  - https://attack.mitre.org/techniques/T1610/
  - https://attack.mitre.org/techniques/T1525/
covers: [WL-035, WL-037]
controls: [AIS-06]
*/
SELECT
  event_id,
  string_agg(DISTINCT CASE role WHEN 'image volume' THEN role ELSE 'container' END || ' ' || coalesce(name, '') || ' of ' || object
    || ' uses debug or base image ' || coalesce(image, ''), ', ') AS reason,
  'low' AS severity
FROM workload_images
JOIN debug_images ON regexp_like(workload_images.repository, '(^|/)(' || debug_images.repository || ')$', 'i')
WHERE outcome = 'allowed' AND NOT made_by_controller AND role <> 'init'
GROUP BY event_id
UNION ALL
SELECT
  event_id,
  string_agg(DISTINCT role || ' ' || coalesce(name, '') || ' of ' || object || ' uses mutable image ' || image, ', ') AS reason,
  'info' AS severity
FROM workload_images
WHERE outcome = 'allowed' AND NOT made_by_controller
  AND digest IS NULL AND coalesce(tag, 'latest') = 'latest'
GROUP BY event_id
