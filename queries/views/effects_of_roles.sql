-- One row per role and right that it grants in effect, in any spelling, from any write in the log or the look-back.
-- `role_namespace` is null for cluster roles. `control` is the creation of objects of controlling_kinds with severity
-- `medium` or above, on which a controller acts. A rule for all groups does not count here: that is another effect.
SELECT DISTINCT cluster, role_kind, role_namespace, role, effect
FROM (
  SELECT
    cluster, rbac['kind'] AS role_kind, CASE WHEN rbac['kind'] = 'Role' THEN namespace END AS role_namespace, 
    -- The role that Rancher creates from a global role.
    CASE WHEN resource = 'globalroles' THEN concat('cattle-globalrole-', name) ELSE name END AS role,
    unnest(rbac['effects']) AS effect
  FROM all_events
  WHERE activity = 'rbac' AND rbac['kind'] IN ('Role', 'ClusterRole') AND outcome = 'allowed'
    AND verb IN ('create', 'update', 'patch') AND name IS NOT NULL
)
UNION
SELECT cluster, rule.kind, CASE WHEN rule.kind = 'Role' THEN namespace END, name, 'control'
FROM (
  SELECT cluster, kind, namespace, name, resources, unnest(api_groups) AS rule_group
  FROM (SELECT * FROM role_rules UNION ALL SELECT * FROM role_rules_history)
  WHERE outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND name IS NOT NULL
    AND array_has_any(verbs, make_array('create', '*'))
) AS rule
JOIN controlling_kinds AS kinds
  ON kinds.api_group = rule_group AND kinds.severity <> 'low'
  AND (kinds.resource = '*' OR array_has(resources, kinds.resource) OR array_has(resources, '*'))
