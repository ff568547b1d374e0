/*
id: pod-or-job-by-person
title: Pod or Job created by a person
aliases: [naked-pod-by-person, job-by-person]
severity: low
confidence: low
risk: 3
attack: [T1610, T1053.007]
tactics: [Execution, Persistence]
description: >-
  A person creates a pod without an owner, which has no rollout, no review, no history and no controller, or starts a
  Job by hand, whose code runs once with the rights and secrets of the namespace and then removes itself.
blind_spots: >-
  None: the request is visible at every audit level.
false_positives:
  - kubectl run, and debugging
  - Manual migrations and repairs
references:
  - https://kubernetes.io/docs/concepts/workloads/pods/
  - https://kubernetes.io/docs/concepts/workloads/controllers/job/
covers: [WL-033, WL-052]
controls: [AIS-06]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' creates ' || object || ' in ' || coalesce(namespace, '') || ' by hand' AS reason
FROM authored_workloads
WHERE (kind = 'Job' OR (kind = 'Pod' AND owner IS NULL)) AND subresource IS NULL AND created
  AND identity_kind IN ('human', 'anonymous')
