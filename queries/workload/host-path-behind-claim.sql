/*
id: host-path-behind-claim
title: Sensitive host path mounted through a claim
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1610, T1611, T1552.001]
tactics: [Execution, Privilege Escalation, Credential Access]
description: >-
  A workload is written that mounts a claim whose PersistentVolume is a sensitive path or a runtime socket of the
  node: what Pod Security and most policies look for in the pod stands elsewhere.
blind_spots: Writes that are logged at Metadata level. Volumes that were bound before the log begins.
false_positives:
  - Storage of tests on single nodes
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
SELECT DISTINCT
  mounted.event_id,
  mounted.object || ' mounts claim ' || mounted.claim_name || ', which is host path ' || held.host_path_raw AS reason
FROM volumes AS mounted
JOIN (
  SELECT cluster, claim_namespace, claim_name, host_path_raw FROM pods_sensitive_volumes
  UNION
  SELECT cluster, claim_namespace, claim_name, host_path_raw FROM pods_sensitive_volumes_history
) AS held
  ON held.cluster = mounted.cluster AND held.claim_namespace = mounted.namespace AND held.claim_name = mounted.claim_name
WHERE mounted.outcome = 'allowed' AND NOT mounted.made_by_controller
