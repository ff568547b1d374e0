/*
id: sidecar-added
title: Container added to a workload
aliases: [sidecar-by-person, sidecar-by-account]
severity: medium
routine: low
confidence: medium
risk: 25
attack: [T1610, T1609]
tactics: [Execution]
description: >-
  An identity adds a container to an existing workload. It runs next to the others with their network, volumes and
  service account, under a trusted name. Severity is medium for a person and low for a service account.
false_positives:
  - Developers who add a sidecar by hand
  - Releases by CI, GitOps and Helm
references:
  - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#updating-a-deployment
covers: [WL-057]
controls: [AIS-06]
*/
SELECT
  event_id,
  CASE WHEN identity_kind IN ('human', 'anonymous') THEN 'medium' ELSE 'low' END AS severity,
  CASE WHEN identity_kind IN ('human', 'anonymous') THEN '' ELSE 'service account ' END || coalesce(username, 'an unknown identity')
    || ' adds container ' || coalesce(container, '') || coalesce(' with ' || after, '') || ' to ' || object AS reason
FROM workload_changes
WHERE change = 'container added' AND field <> 'ephemeral'
  AND identity_kind IN ('human', 'anonymous', 'service_account', 'cloud_service_account')
