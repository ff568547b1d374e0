/*
id: default-admin-used
title: Default administrator account used
severity: low
confidence: high
risk: 5
attack: [T1078.001]
tactics: [Initial Access]
description: >-
  The administrator credential that the installer created, or a member of system:masters, changes the cluster. The log
  does not show which person used it, and no role limits it. One row per user, address and day.
blind_spots: Administrators with their own names.
false_positives:
  - Installation or upgrade of a cluster
  - Emergency access
triage:
  - >-
    SELECT time, verb, resource, namespace, name, outcome FROM events WHERE activity = 'rbac' AND username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://attack.mitre.org/techniques/T1078/001/
covers: [IA-007]
controls: [IAM-16]
*/
SELECT
  min(event_id) AS event_id,
  username || ' changes the cluster from ' || coalesce(client_ip, '?') || ': ' || count(*) || ' requests' AS reason
FROM events
WHERE identity_kind = 'human' AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND outcome = 'allowed' AND activity <> 'read'
  AND (username IN (SELECT name FROM default_admins WHERE default_admins.kind = 'user')
    OR coalesce(array_has_any(user_groups, make_array('system:masters', 'kubeadm:cluster-admins')), false))
GROUP BY cluster, username, client_ip, date
