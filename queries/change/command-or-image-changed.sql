/*
id: command-or-image-changed
title: Command or image of a workload changed
aliases: [command-changed, image-changed-by-person]
severity: low
confidence: medium
risk: 5
attack: [T1610, T1525]
tactics: [Execution, Persistence]
description: >-
  An identity changes the command, arguments or hooks of an existing workload, so that the same image does something
  else, or a person changes its image outside the deployment pipeline.
false_positives:
  - New settings passed as arguments
  - Hot fixes, and small teams
references:
  - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#updating-a-deployment
covers: [WL-059, WL-058]
controls: [AIS-06]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' changes ' || CASE change WHEN 'image' THEN 'the image' ELSE field END || ' of container '
    || coalesce(container, '') || ' of ' || object
    || CASE change WHEN 'image' THEN ' from ' || coalesce(before, 'an unknown image') ELSE '' END || coalesce(' to ' || left(after, 300), '') AS reason
FROM workload_changes
WHERE change IN ('command', 'handler')
  OR (change = 'image' AND identity_kind IN ('human', 'anonymous') AND (before IS DISTINCT FROM after))
