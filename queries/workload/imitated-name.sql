/*
id: imitated-name
title: Workload name that imitates a component or a Deployment pod
aliases: [imitated-component-name, imitated-pod-name]
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1610, T1036.005]
tactics: [Execution, Stealth]
description: >-
  A workload is created with the name of a platform component, outside the platform namespaces or in one as a pod
  without an owner, or a pod without an owner is created by hand with a name like those of Deployment pods, with a hash
  and five random characters. Such a pod is easily overlooked in a list of pods.
blind_spots: Names that are only similar. Owners and generated names, where the body is not logged.
false_positives:
  - Components installed in their own namespace
  - Platform pods that an administrator restores by hand
  - Pods restored from a backup
references:
  - https://attack.mitre.org/techniques/T1036/005/
covers: [WL-032]
controls: [AIS-06]
*/
WITH made AS (
  SELECT *, coalesce(name, generate_name) AS written
  FROM authored_workloads
  WHERE created AND subresource IS NULL AND identity_kind <> 'controller' AND owner IS NULL
)
SELECT event_id, object || ' in ' || made.namespace || ' has the name of ' || component AS reason
FROM made
JOIN system_components ON written = component OR starts_with(written, component || '-')
LEFT JOIN system_namespaces AS system ON made.namespace LIKE system.namespace
WHERE CASE
  WHEN system.namespace IS NULL THEN scope = 'anywhere' AND NOT starts_with(made.namespace, component)
  ELSE kind = 'Pod'
END
UNION
SELECT event_id, object || ' in ' || namespace || ' has the name pattern of a Deployment pod and no owner' AS reason
FROM made
WHERE kind = 'Pod' AND generate_name IS NULL
  -- The server generates random names from these letters. At least one digit excludes words.
  AND regexp_like(name, '-[bcdfghjklmnpqrstvwxz2456789]{7,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$')
  AND regexp_like(name, '-[a-z0-9]*[0-9][a-z0-9]*-[a-z0-9]{5}$')
