/*
id: host-path-persistent-volume
title: Sensitive hostPath through a PersistentVolume
aliases: [host-path-behind-claim]
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1610, T1611, T1552.001]
tactics: [Execution, Privilege Escalation, Credential Access]
description: >-
  A PersistentVolume is written whose storage is a sensitive path or a runtime socket of the node, or a workload is
  written that mounts a claim of such a volume. Pod Security and most policies inspect only the pod and do not see the
  path. Severity is high where the node runs code from that path and, for a claim, the binding is in the log. A claim
  selects a volume by its storage class, size or labels, so a volume alone is enough.
blind_spots: Volumes bound before the log begins, and volumes selected only by labels.
false_positives:
  - Test storage on single nodes
triage:
  - >-
    SELECT time, username, verb, name, type, host_path_raw, claim_namespace, claim_name FROM persistent_volumes WHERE name = '<name>' ORDER BY time
  - >-
    SELECT time, username, object, claim_name FROM volumes WHERE claim_name = '<claim>' AND namespace = '<namespace>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
  - https://kubernetes.io/docs/concepts/storage/persistent-volumes/
covers: [WL-007, WL-008]
controls: [AIS-06, DSP-15]
*/
WITH held AS (
  SELECT cluster, name, claim_namespace, claim_name, storage_class, host_path_raw, executes FROM sensitive_volumes
  UNION
  SELECT cluster, name, claim_namespace, claim_name, storage_class, host_path_raw, executes FROM sensitive_volumes_history
),
claims AS (
  SELECT cluster, namespace, name, volume_claim['storage_class'] AS storage_class, volume_claim['volume_name'] AS volume_name
  FROM all_events
  WHERE activity = 'write' AND resource = 'persistentvolumeclaims' AND subresource IS NULL AND outcome = 'allowed' AND volume_claim IS NOT NULL
),
-- By name, by the volume that a claim requests, or as the controller selects one: by storage class where the volume
-- names no claim.
bound AS (
  SELECT cluster, claim_namespace AS namespace, claim_name, host_path_raw, executes, true AS seen FROM held WHERE claim_name IS NOT NULL
  UNION
  SELECT claims.cluster, claims.namespace, claims.name, held.host_path_raw, held.executes, true FROM claims JOIN held
    ON held.cluster = claims.cluster AND held.name = claims.volume_name
  UNION
  SELECT claims.cluster, claims.namespace, claims.name, held.host_path_raw, held.executes, false FROM claims JOIN held
    ON held.cluster = claims.cluster AND held.claim_name IS NULL AND claims.volume_name IS NULL
    AND coalesce(held.storage_class, '') = coalesce(claims.storage_class, '')
)
SELECT DISTINCT
  mounted.event_id,
  mounted.object || ' mounts claim ' || mounted.claim_name || CASE WHEN seen THEN ', which is host path ' ELSE ', which may bind to host path ' END || bound.host_path_raw AS reason,
  CASE WHEN bound.executes AND bound.seen THEN 'high' ELSE 'medium' END AS severity
FROM volumes AS mounted
JOIN bound ON bound.cluster = mounted.cluster AND bound.namespace = mounted.namespace AND bound.claim_name = mounted.claim_name
WHERE mounted.outcome = 'allowed' AND NOT mounted.made_by_controller
UNION ALL
-- Claims created for each pod.
SELECT
  made.event_id,
  made.object || ' creates claims that may bind to host path ' || held.host_path_raw AS reason,
  'medium' AS severity
FROM (
  SELECT event_id, cluster, object, claim_storage_class AS storage_class, NULL AS volume_name
  FROM volumes
  WHERE outcome = 'allowed' AND NOT made_by_controller AND claim_storage_class IS NOT NULL
  UNION ALL
  SELECT event_id, cluster, object, claim['storage_class'], claim['volume_name']
  FROM (
    SELECT event_id, cluster, object, unnest(claim_templates) AS claim
    FROM workloads
    WHERE outcome = 'allowed' AND NOT made_by_controller
  )
) AS made
JOIN held
  ON held.cluster = made.cluster
  AND (held.name = made.volume_name OR (made.volume_name IS NULL AND held.claim_name IS NULL AND held.storage_class = made.storage_class))
UNION ALL
SELECT
  event_id, coalesce(username, 'an unknown identity') || ' writes PersistentVolume ' || coalesce(name, '') || ' with host path ' || host_path_raw AS reason,
  CASE WHEN executes THEN 'high' ELSE 'medium' END AS severity
FROM sensitive_volumes
-- The controller that binds volumes to claims rewrites both.
WHERE NOT (identity_kind = 'controller' AND NOT created)
