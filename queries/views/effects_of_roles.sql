-- One row a role and a thing that it allows in effect, however its rules spell it, as some write of the log or of the look-back
-- shows it; `role_namespace` is null for cluster roles.
SELECT DISTINCT cluster, role_kind, role_namespace, role, effect
FROM (
  SELECT
    cluster, rbac['kind'] AS role_kind, CASE WHEN rbac['kind'] = 'Role' THEN namespace END AS role_namespace, 
    -- What Rancher makes of a global role.
    CASE WHEN resource = 'globalroles' THEN concat('cattle-globalrole-', name) ELSE name END AS role,
    unnest(rbac['effects']) AS effect
  FROM (SELECT * FROM events UNION ALL SELECT * FROM events_history)
  WHERE activity = 'rbac' AND rbac['kind'] IN ('Role', 'ClusterRole') AND outcome = 'allowed'
    AND verb IN ('create', 'update', 'patch') AND name IS NOT NULL
)
