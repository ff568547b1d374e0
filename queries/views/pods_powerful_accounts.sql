-- Service accounts with a cluster-wide role that gives full control: one of privileged_roles, or one with equivalent
-- rights.
SELECT DISTINCT
  held.cluster, held.subject_namespace AS account_namespace, held.subject_name AS account, held.role_name, held.granted_at, held.revoked_at
FROM grants AS held
LEFT JOIN privileged_roles ON privileged_roles.role = held.role_name AND privileged_roles.reach IN ('cluster', 'escalation')
LEFT JOIN (
  SELECT DISTINCT cluster, role
  FROM effects_of_roles
  WHERE role_kind = 'ClusterRole' AND effect IN ('everything', 'escalate', 'impersonate')
) AS own ON own.cluster = held.cluster AND own.role = held.role_name
WHERE held.subject_kind = 'ServiceAccount' AND held.namespace IS NULL AND coalesce(held.role_kind, 'ClusterRole') = 'ClusterRole'
  AND (privileged_roles.role IS NOT NULL OR own.role IS NOT NULL)
