/*
id: ephemeral-container
title: Ephemeral container added
severity: medium
attack: [T1610, T1609]
description: >-
  Somebody adds an ephemeral container to a running pod, as kubectl debug does: code of their choice runs beside the
  pod's own, with its network, and with its processes and volumes where they ask for them.
false_positives:
  - Engineers who debug with kubectl debug
references:
  - https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
*/
WITH images AS (
  SELECT event_id, string_agg(image, ', ') AS images FROM containers WHERE role = 'ephemeral' GROUP BY event_id
)
SELECT
  event_id,
  'adds an ephemeral container to pod ' || coalesce(name, '') || coalesce(': ' || images, '') AS reason
FROM workloads
LEFT JOIN images USING (event_id)
WHERE subresource = 'ephemeralcontainers' AND outcome = 'allowed'
