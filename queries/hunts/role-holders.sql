/*
title: Role holders, grantors and periods
description: >-
  One row a subject of a binding, from when it held the role until it was revoked. Bindings that are older than the log are
  not in it.
parameters:
  role: {type: text, description: 'The role; * stands for any characters', default: cluster-admin}
*/
SELECT
  role_kind, role_name, subject_kind, subject_namespace, subject_name, namespace, binding, granted_at, granted_by,
  revoked_at, revoked_by, cluster, grant_event_id
FROM grants
WHERE glob(role_name, $role)
ORDER BY granted_at, subject_name
