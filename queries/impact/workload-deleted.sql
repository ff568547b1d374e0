/*
id: workload-deleted
title: Workload deleted by a person
aliases: [platform-workload-deleted]
severity: low
confidence: medium
risk: 30
attack: [T1485, T1489, T1685]
tactics: [Impact, Defense Impairment]
description: >-
  A person deletes a workload that is not recreated. Pods are left out, because their controllers replace them. Severity
  is medium in a platform namespace, where scaling to zero counts too: networking, admission, monitoring or security may
  stop, or an attacker removes a hidden workload.
blind_spots: Workloads scaled to zero outside platform namespaces, or deleted with their namespace.
false_positives:
  - Engineers at work
  - Manual removal of a platform component
references:
  - https://attack.mitre.org/techniques/T1489/
  - https://attack.mitre.org/techniques/T1685/
covers: [IM-001]
*/
WITH removed AS (
  SELECT
    event_id, namespace,
    CASE WHEN verb = 'delete' THEN 'deletes ' ELSE 'scales to zero: ' END || resource || ' ' || coalesce(name, '') || coalesce(' in ' || namespace, '') AS reason,
    resource NOT IN ('jobs', 'replicasets', 'deploymentconfigs') AS is_long_lived, verb = 'delete' AS is_deleted
  FROM events
  WHERE activity = 'workload' AND outcome = 'allowed' AND identity_kind = 'human'
    AND resource IN ('deployments', 'statefulsets', 'daemonsets', 'cronjobs', 'jobs', 'replicationcontrollers', 'replicasets', 'deploymentconfigs')
    AND ((verb = 'delete' AND subresource IS NULL) OR (subresource = 'scale' AND scale_replicas = 0))
  UNION ALL
  SELECT
    event_id, namespace, 'scales to zero: ' || object || coalesce(' in ' || namespace, '') AS reason, true AS is_long_lived, false AS is_deleted
  FROM changes
  WHERE change = 'replicas' AND after = '0' AND outcome = 'allowed' AND identity_kind = 'human'
)
SELECT DISTINCT
  event_id,
  CASE WHEN platform.namespace IS NOT NULL AND is_long_lived THEN 'medium' ELSE 'low' END AS severity,
  reason || coalesce(', of ' || owner, '') AS reason
FROM removed
LEFT JOIN system_namespaces AS platform ON removed.namespace LIKE platform.namespace
-- Elsewhere, scaling to zero is routine.
WHERE is_deleted OR (platform.namespace IS NOT NULL AND is_long_lived)
