-- Service accounts with a cluster-wide role of cluster_control_roles, and the period in which they hold it.
SELECT DISTINCT
  held.cluster, held.subject_namespace AS account_namespace, held.subject_name AS account, held.role_name, held.granted_at, held.revoked_at
FROM grants AS held
JOIN cluster_control_roles AS strong ON strong.role = held.role_name AND (strong.cluster IS NULL OR strong.cluster = held.cluster)
WHERE held.subject_kind = 'ServiceAccount' AND held.namespace IS NULL AND coalesce(held.role_kind, 'ClusterRole') = 'ClusterRole'
