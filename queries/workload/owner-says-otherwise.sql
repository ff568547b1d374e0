/*
id: owner-says-otherwise
title: Controller's request differs from its owner's template
severity: high
confidence: high
risk: 60
attack: [T1610, T1078, T1036.005]
tactics: [Execution, Stealth, Privilege Escalation]
description: >-
  A controller copies the template of the owner. Here it requests a pod, ReplicaSet or Job with other images, commands,
  privileges, hostPath volumes or account than any version of the owner in the log: its credential was stolen. Severity
  is critical where the pod can take over its node. added-by-admission reports later changes by admission. To avoid
  detection, an attacker needs an owner with the desired template.
blind_spots: >-
  Owners whose creation, or a later version, is not completely in the log. Environment, labels and volumes other than
  hostPath, which are not compared.
false_positives:
  - None known
triage:
  - >-
    SELECT time, username, verb, object, object_uid, posture, client_ip, user_agent FROM workloads WHERE object_uid = '<uid of the owner>' OR owner['uid'] = '<uid of the owner>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, count(*) AS requests, min(time) AS first, max(time) AS last FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent
references:
  - https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
covers: [WS-022, WL-005]
controls: [AIS-06]
*/
-- All versions of the owner are known.
WITH known AS (
  SELECT cluster, object_uid, array_agg(DISTINCT posture) AS postures
  FROM all_workloads
  WHERE subresource IS NULL AND object_uid IS NOT NULL AND outcome IN ('allowed', 'unknown')
  GROUP BY cluster, object_uid
  HAVING bool_or(created AND outcome = 'allowed') AND bool_and(posture IS NOT NULL)
)
SELECT
  event_id,
  CASE WHEN powers OR pid OR root OR escapes THEN 'critical' ELSE 'high' END AS severity,
  username || ' writes ' || object || ' for ' || owner_kind || ' ' || owner_name || ', whose template differs' AS reason
FROM pods_of_owners
JOIN known ON known.cluster = pods_of_owners.cluster AND known.object_uid = owner_uid
WHERE NOT array_has(postures, posture)
