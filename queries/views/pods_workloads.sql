-- Workload writes that somebody answers for: allowed, and neither what controllers make from an owner's template nor what
-- kubelets report of the static pods of their nodes.
SELECT * FROM workloads{history}
WHERE outcome = 'allowed' AND NOT made_by_controller AND (identity_kind IS DISTINCT FROM 'node')
