/*
id: host-path-persistent-volume
title: PersistentVolume with a sensitive hostPath
severity: medium
routine: low
confidence: high
risk: 35
attack: [T1610, T1611, T1552.001]
tactics: [Execution, Privilege Escalation, Credential Access]
description: >-
  A PersistentVolume is written whose storage is a sensitive path or a runtime socket of the node. Any pod can mount it
  through a claim, and the pod's manifest does not show the path. Severity is high where the node runs code from that
  path. A claim selects the volume by its storage class, size or labels, so no binding is required as evidence.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Test storage on single nodes
triage:
  - >-
    SELECT time, username, verb, name, type, host_path_raw, claim_namespace, claim_name FROM persistent_volumes WHERE name = '<name>' ORDER BY time
  - >-
    SELECT time, username, object, claim_name FROM volumes WHERE claim_name = '<claim>' AND namespace = '<namespace>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath
  - https://kubernetes.io/docs/concepts/storage/persistent-volumes/
covers: [WL-007, WL-008]
controls: [AIS-06, DSP-15]
*/
SELECT
  event_id, coalesce(username, 'an unknown identity') || ' writes PersistentVolume ' || coalesce(name, '') || ' with host path ' || host_path_raw AS reason,
  CASE WHEN executes THEN 'high' ELSE 'medium' END AS severity
FROM pods_sensitive_volumes
-- The controller that binds volumes to claims rewrites both.
WHERE NOT (identity_kind = 'controller' AND NOT created)
