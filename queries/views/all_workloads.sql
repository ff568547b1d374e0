-- Workload writes of the examined period and of the look-back; `in_scope` is whether a write is in the examined period.
SELECT *, true AS in_scope FROM workloads
UNION ALL
SELECT *, false AS in_scope FROM workloads_history
