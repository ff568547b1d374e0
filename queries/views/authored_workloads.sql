-- Workload writes by people and programs: allowed, without those that controllers derive from an owner's template and
-- without static pods reported by kubelets.
SELECT * FROM workloads
WHERE outcome = 'allowed' AND NOT made_by_controller AND (identity_kind IS DISTINCT FROM 'node')
