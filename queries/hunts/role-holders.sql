/*
title: Role holders, grantors and periods
description: >-
  One row per subject of a binding, with the period in which it had the role. Bindings older than the log are not
  included.
parameters:
  role: {type: text, description: 'Role; * matches any characters', default: cluster-admin}
*/
SELECT
  role_kind, role_name, subject_kind, subject_namespace, subject_name, namespace, binding, granted_at, granted_by,
  revoked_at, revoked_by, cluster, grant_event_id
FROM grants
WHERE glob(role_name, $role)
ORDER BY granted_at, subject_name
