/*
id: custom-resource-workload
title: Workload created through a custom resource
severity: low
confidence: medium
risk: 3
attack: [T1610]
tactics: [Execution]
description: >-
  A workload is created through a custom resource with a pod template, such as a workflow, a notebook or a Knative
  service. Policies for pods see only what its controller creates.
blind_spots: Custom resources whose templates podtrail does not know.
false_positives:
  - Data platforms and pipelines
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WL-065]
controls: [AIS-06]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' creates ' || object || ' in ' || coalesce(namespace, '') AS reason
FROM authored_workloads
WHERE subresource IS NULL AND created AND identity_kind <> 'controller'
  AND api_group IS NOT NULL AND api_group NOT IN ('apps', 'batch', 'extensions')
