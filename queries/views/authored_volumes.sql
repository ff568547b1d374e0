-- The volumes of authored_workloads.
SELECT * FROM volumes
WHERE outcome = 'allowed' AND NOT made_by_controller AND (identity_kind IS DISTINCT FROM 'node')
