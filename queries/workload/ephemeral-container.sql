/*
id: ephemeral-container
title: Ephemeral container added
severity: medium
confidence: medium
risk: 25
attack: [T1610, T1609]
tactics: [Execution]
description: >-
  An identity adds an ephemeral container to a running pod, as kubectl debug does. Arbitrary code then runs beside the
  pod's containers, with its network and, on request, its processes and volumes.
blind_spots: >-
  Activity inside the container: the audit log shows only its creation.
false_positives:
  - Engineers who debug with kubectl debug
triage:
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, kind, namespace, name, client_ip, user_agent, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
covers: [WL-055]
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
)
SELECT
  event_id,
  CASE WHEN is_ours THEN 'low' END AS severity,
  'adds an ephemeral container to pod ' || coalesce(name, '') || coalesce(': ' || images, '') AS reason
FROM pods_workloads
LEFT JOIN images USING (event_id)
WHERE subresource = 'ephemeralcontainers'
