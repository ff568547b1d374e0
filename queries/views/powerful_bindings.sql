-- One row per subject of a binding write whose role gives full or wide control of the cluster, by its name or by its
-- rights. `reach` is as in privileged_roles: cluster, escalation, namespace. `part` is one of the indirect ways to take
-- over nodes or other accounts: reading secrets, entering or writing pods, nodes, volumes, admission, controllers.
-- `is_wide`: it applies to the whole cluster, or to a platform namespace, which is equivalent. Bindings that every
-- cluster with token-based node joins needs are left out: the node certificates for those groups. To use them, an
-- attacker needs a bootstrap token or a node. `takes_cluster`: its holder can gain all rights through escalate, bind or
-- impersonate.
SELECT DISTINCT
  event_id, time, cluster, username, effective_username, user_groups, service_account_namespace, service_account_name,
  identity_kind, verb, kind, namespace, name, role_name, subject_kind, subject_name, subject_namespace, reach, why, is_control,
  kind = 'ClusterRoleBinding' OR platform IS NOT NULL AS is_wide, is_built_in, takes_cluster,
  concat(
    kind, ' ', coalesce(name, ''), ' grants ', role_name, ' (', why, ')', coalesce(' in ' || namespace, ''), ' to ',
    coalesce(subject_kind || ' ' || concat_ws('/', subject_namespace, subject_name), 'an unknown identity')
  ) AS what
FROM (
  SELECT
    bound.*, whole.effective_username, whole.user_groups, whole.service_account_namespace, whole.service_account_name,
    platform.namespace AS platform, privileged.role IS NOT NULL AS is_built_in,
    coalesce(privileged.reach, own.reach) AS reach,
    coalesce(privileged.reach = 'cluster' OR own.takes_cluster, false) AS takes_cluster, coalesce(privileged.why, 'allows ' || own.effects) AS why,
    coalesce(own.is_control, false) AS is_control
  FROM bindings AS bound
  JOIN events AS whole ON whole.event_id = bound.event_id AND whole.activity = 'rbac'
  LEFT JOIN privileged_roles AS privileged ON privileged.role = bound.role_name AND coalesce(bound.role_kind, '') <> 'Role'
  LEFT JOIN (
    SELECT
      cluster, role_kind, role_namespace, role, string_agg(effect, ', ' ORDER BY effect) AS effects, bool_or(effect = 'control') AS is_control,
      bool_or(effect IN ('everything', 'escalate', 'impersonate')) AS takes_cluster,
      CASE
        WHEN bool_or(effect = 'everything') THEN 'cluster'
        WHEN bool_or(effect IN ('escalate', 'impersonate', 'tokens', 'certificates')) THEN 'escalation'
        -- The parts of edit.
        WHEN bool_or(effect = 'secrets') AND bool_or(effect = 'workloads') THEN 'namespace'
        WHEN bool_or(effect = 'exec') AND bool_or(effect = 'workloads') THEN 'namespace'
        WHEN bool_or(effect IN ('secrets', 'exec', 'workloads', 'node proxy', 'nodes', 'volumes', 'admission', 'control', 'impersonate accounts')) THEN 'part'
      END AS reach
    FROM effects_of_roles
    GROUP BY cluster, role_kind, role_namespace, role
  ) AS own
    ON own.cluster = bound.cluster AND own.role = bound.role_name AND own.role_kind = coalesce(bound.role_kind, 'ClusterRole')
    AND (own.role_namespace IS NULL OR own.role_namespace = bound.namespace)
  LEFT JOIN system_namespaces AS platform ON bound.namespace LIKE platform.namespace
  WHERE bound.outcome = 'allowed' AND bound.identity_kind <> 'controller' AND bound.verb IN ('create', 'update', 'patch')
)
WHERE reach IS NOT NULL
  AND NOT (
    is_built_in AND subject_kind = 'Group' AND (subject_name = 'system:nodes' OR subject_name LIKE 'system:bootstrappers%')
    AND role_name IN (
      'system:node-bootstrapper', 'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
      'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient')
  )
