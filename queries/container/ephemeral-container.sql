/*
id: ephemeral-container
title: Ephemeral container added
aliases: [privileged-ephemeral-container]
severity: medium
confidence: medium
risk: 50
attack: [T1610, T1609, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  An identity adds an ephemeral container to a running pod, as kubectl debug does. Arbitrary code then runs next to the
  pod's containers, with its network and, on request, its processes and volumes. Severity is high for a container with
  more rights than a debugger needs: privileged, with all capabilities, or with one that allows an escape (SYS_PTRACE
  alone is the default of kubectl debug). It is low for an image of the cluster's own registry.
blind_spots: >-
  Activity inside the container: the audit log shows only its creation.
false_positives:
  - Engineers who debug with kubectl debug
  - kubectl debug --profile=sysadmin by node administrators
references:
  - https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
covers: [WL-055, WL-056]
controls: [AIS-06]
*/
WITH images AS (
  SELECT
    event_id, string_agg(image, ', ') AS images,
    bool_and(containers.registry IS NOT NULL AND public_registries.registry IS NULL) AS is_ours
  FROM containers
  LEFT JOIN public_registries ON public_registries.registry = containers.registry
  WHERE role = 'ephemeral'
  GROUP BY event_id
),
powers AS (
  SELECT
    event_id,
    string_agg(DISTINCT 'container ' || coalesce(name, '') || CASE WHEN is_privileged THEN ' is privileged' ELSE ' adds ' || added END, ', ') AS powers
  FROM (
    SELECT event_id, name, coalesce(privileged, false) AS is_privileged, unnest(coalesce(capabilities_add, make_array(NULL))) AS added
    FROM authored_containers
    WHERE role = 'ephemeral'
  )
  LEFT JOIN capabilities ON added = capability
  WHERE is_privileged OR added = 'ALL' OR (danger = 'dangerous' AND added <> 'SYS_PTRACE')
  GROUP BY event_id
)
SELECT
  added.event_id,
  CASE WHEN powers IS NOT NULL THEN 'high' WHEN is_ours THEN 'low' ELSE 'medium' END AS severity,
  'adds an ephemeral container to pod ' || coalesce(name, '') || coalesce(': ' || images, '') || coalesce('; ' || powers, '') AS reason
FROM authored_workloads AS added
LEFT JOIN images ON images.event_id = added.event_id
LEFT JOIN powers ON powers.event_id = added.event_id
WHERE subresource = 'ephemeralcontainers' OR powers IS NOT NULL
