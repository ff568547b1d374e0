/*
id: privileged-role-binding
aliases: [binding-to-oneself, default-account-privileged, namespace-admin-binding]
title: Binding to a powerful role
severity: medium
routine: low
confidence: medium
risk: 50
attack: [T1098.006, T1078.001]
tactics: [Privilege Escalation, Persistence]
description: >-
  A binding is written to a role whose subjects can take over the cluster indirectly or control a namespace: admin,
  edit, a control plane role, or a custom role with equivalent rights. In a platform namespace any such role counts,
  because a pod there can control the cluster. A role that only reads secrets, execs into or writes pods, or changes
  nodes, volumes or admission counts where people or the writer's own account get it for the whole cluster. A role that
  creates objects through which controllers act counts for accounts too, unless the writer installs a kind of each
  product that the role controls; to use this, an attacker must create a CustomResourceDefinition of the product's
  group. The severity is high where the writer grants such a role to itself, or cluster-admin, admin or edit to the
  default service account of a namespace, whose role every pod there without its own account has. A binding to admin or
  edit in an application's namespace is low.
blind_spots: A second user controlled by the same person.
false_positives:
  - Teams that get admin or edit in their own namespace from automation
  - Administrators who set up a cluster
  - Demonstrations and quick starts
  - Teams that get admin or edit in their own namespace
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
covers: [RB-002, RB-001, RB-004]
controls: [IAM-16]
*/
WITH controls AS (
  SELECT DISTINCT cluster, name AS role, product
  FROM (SELECT cluster, name, resources, unnest(api_groups) AS rule_group FROM role_rules)
  JOIN controlling_kinds AS kinds
    ON kinds.api_group = rule_group AND kinds.severity <> 'low'
    AND (kinds.resource = '*' OR array_has(resources, kinds.resource) OR array_has(resources, '*'))
),
installed AS (
  SELECT DISTINCT cluster, username, product
  FROM (
    SELECT cluster, username, split_part(name, '.', 1) AS plural, substr(name, strpos(name, '.') + 1) AS kind_group
    FROM events
    WHERE resource = 'customresourcedefinitions' AND outcome = 'allowed' AND created
  )
  JOIN controlling_kinds AS kinds ON kinds.api_group = kind_group AND (kinds.resource = '*' OR kinds.resource = plural)
),
-- Roles for which the identity installs all products that they control.
installers AS (
  SELECT controls.cluster, controls.role, username
  FROM controls
  JOIN installed ON installed.cluster = controls.cluster AND installed.product = controls.product
  JOIN (SELECT cluster, role, count(*) AS products FROM controls GROUP BY cluster, role) AS total
    ON total.cluster = controls.cluster AND total.role = controls.role
  GROUP BY controls.cluster, controls.role, username, products
  HAVING count(*) = products
)
SELECT
  event_id, severity,
  CASE WHEN is_own AND severity = 'high' THEN effective_username || ' grants itself: ' || what ELSE what END AS reason
FROM (
  SELECT
    event_id, what, effective_username, is_own,
    CASE
      WHEN is_own AND is_wide AND reach <> 'part' THEN 'high'
      -- Every pod without its own account.
      WHEN subject_kind = 'ServiceAccount' AND subject_name = 'default' AND role_name IN ('cluster-admin', 'admin', 'edit') AND is_built_in THEN 'high'
      -- Rights for a team in its own namespace are ordinary. Rights for the whole cluster, or a path to them, are not.
      WHEN reach = 'escalation' AND (is_built_in OR is_wide) AND NOT (takes_cluster AND is_wide) THEN 'medium'
      WHEN reach = 'namespace' AND is_wide THEN 'medium'
      WHEN reach = 'cluster' AND NOT is_built_in AND NOT is_wide AND subject_kind = 'Group' THEN 'medium'
      -- Every pod of a namespace.
      WHEN subject_kind = 'Group' AND starts_with(subject_name, 'system:serviceaccounts:') THEN 'medium'
      WHEN reach = 'part' AND is_wide AND (
        (subject_kind IN ('User', 'Group') AND subject_name NOT LIKE 'system:kube-%'
          AND subject_name NOT IN ('system:nodes', 'system:masters', 'kubeadm:cluster-admins'))
        OR (subject_kind = 'ServiceAccount' AND is_own)
        -- Automation grants operators the rights that they need.
        OR (subject_kind = 'ServiceAccount' AND is_control AND identity_kind IN ('human', 'anonymous', 'node') AND installer IS NULL)
      ) THEN 'medium'
      WHEN kind = 'RoleBinding' AND role_name IN ('admin', 'edit') AND is_built_in THEN 'low'
    END AS severity
  FROM (
    SELECT
      *,
      CASE subject_kind
        WHEN 'User' THEN subject_name = effective_username
        WHEN 'ServiceAccount' THEN subject_name = service_account_name AND subject_namespace = service_account_namespace
        WHEN 'Group' THEN array_has(user_groups, subject_name) AND subject_name <> 'system:masters'
      END AS is_own
    FROM powerful_bindings
  )
  LEFT JOIN (SELECT cluster AS installed_cluster, role AS installed_role, username AS installer FROM installers) AS installs
    ON installed_cluster = cluster AND installer = username AND installed_role = role_name
)
WHERE severity IS NOT NULL
