/*
id: workload-by-administrator
title: Workload created by a cluster administrator
severity: low
confidence: medium
risk: 8
attack: [T1610, T1078]
tactics: [Execution]
description: >-
  A member of system:masters, or the installer's credential, writes a workload. No role limits it, and the log does not
  show which person used it.
blind_spots: Administrators through another group or role.
false_positives:
  - Installation or upgrade of a cluster
  - Emergency access
triage:
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [WL-072]
controls: [IAM-16, AIS-06]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' writes ' || workload['kind'] || ' ' || coalesce(name, '*') || coalesce(' in ' || namespace, '') AS reason
FROM events
WHERE activity = 'workload' AND workload IS NOT NULL AND outcome = 'allowed' AND identity_kind = 'human'
  AND (username IN (SELECT name FROM default_admins WHERE default_admins.kind = 'user')
    OR coalesce(array_has_any(user_groups, make_array('system:masters', 'kubeadm:cluster-admins')), false))
