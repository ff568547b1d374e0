-- The containers of authored_workloads.
SELECT * FROM containers
WHERE outcome = 'allowed' AND NOT made_by_controller AND (identity_kind IS DISTINCT FROM 'node')
