-- Cluster-wide roles that give full control of a cluster, or a way to it: those of the table privileged_roles, in every
-- cluster (`cluster` is null), and those that the log shows to have equivalent rules.
SELECT CAST(NULL AS VARCHAR) AS cluster, role FROM privileged_roles WHERE reach IN ('cluster', 'escalation')
UNION ALL
SELECT DISTINCT cluster, role
FROM effects_of_roles
WHERE role_kind = 'ClusterRole' AND effect IN ('everything', 'escalate', 'impersonate')
