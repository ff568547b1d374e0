-- One row per write of authored_workloads that shows containers, with what any of them may do: `privileged`; `host_process`
-- (Windows); `has_dangerous_capability`, of the table capabilities, or ALL; `controls_node` (privileged, ALL or SYS_ADMIN).
WITH dangerous AS (
  SELECT array_append(array_agg(capability), 'ALL') AS names FROM capabilities WHERE danger = 'dangerous'
)
SELECT
  event_id,
  bool_or(coalesce(privileged, false)) AS privileged,
  bool_or(coalesce(host_process, false)) AS host_process,
  bool_or(coalesce(array_has_any(capabilities_add, names), false)) AS has_dangerous_capability,
  bool_or(coalesce(privileged, false) OR coalesce(array_has_any(capabilities_add, make_array('ALL', 'SYS_ADMIN')), false)) AS controls_node
FROM authored_containers
CROSS JOIN dangerous
GROUP BY event_id
