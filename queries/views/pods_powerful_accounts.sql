-- Service accounts that hold, in the whole cluster, a role that amounts to it: one of privileged_roles, or one with every
-- verb on every resource.
SELECT DISTINCT
  held.cluster, held.subject_namespace AS account_namespace, held.subject_name AS account, held.role_name, held.granted_at, held.revoked_at
FROM grants{history} AS held
LEFT JOIN privileged_roles ON privileged_roles.role = held.role_name AND privileged_roles.reach IN ('cluster', 'escalation')
LEFT JOIN (
  SELECT cluster, name
  FROM role_rules{history}
  WHERE kind = 'ClusterRole' AND outcome = 'allowed' AND array_has(verbs, '*') AND array_has(resources, '*') AND array_has(api_groups, '*')
  GROUP BY cluster, name
) AS wild ON wild.cluster = held.cluster AND wild.name = held.role_name
WHERE held.subject_kind = 'ServiceAccount' AND held.namespace IS NULL AND held.role_kind = 'ClusterRole'
  AND (privileged_roles.role IS NOT NULL OR wild.name IS NOT NULL)
