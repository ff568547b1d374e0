-- Service accounts with a cluster-wide role of cluster_control_roles, from written bindings, now or before, or from the
-- reason for which a request was allowed.
WITH held AS (
  SELECT cluster, subject_namespace AS namespace, subject_name AS name, role_name AS role
  FROM (SELECT * FROM bindings UNION ALL SELECT * FROM bindings_history)
  WHERE subject_kind = 'ServiceAccount' AND namespace IS NULL AND outcome = 'allowed'
    AND verb IN ('create', 'update', 'patch')
  UNION ALL
  SELECT cluster, split_part(username, ':', 3), split_part(username, ':', 4), split_part(decision_reason, '"', 4)
  FROM (
    SELECT cluster, username, identity_kind, decision_reason FROM stages
    UNION ALL
    SELECT cluster, username, identity_kind, decision_reason FROM stages_history
  )
  WHERE identity_kind = 'service_account'
    AND decision_reason LIKE 'RBAC: allowed by ClusterRoleBinding % of ClusterRole % to ServiceAccount %'
)
SELECT held.cluster, held.namespace, held.name, min(held.role) AS role
FROM held
JOIN cluster_control_roles AS strong ON strong.role = held.role AND (strong.cluster IS NULL OR strong.cluster = held.cluster)
GROUP BY held.cluster, held.namespace, held.name
