-- Workload writes with those of the look-back; `in_scope` is whether a write is in the examined period.
SELECT *, true AS in_scope FROM workloads
UNION ALL
SELECT *, false AS in_scope FROM workloads_history
