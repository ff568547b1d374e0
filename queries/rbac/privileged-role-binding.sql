/*
id: privileged-role-binding
title: Binding to a powerful role
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A binding is written to a role whose subjects can take over the cluster indirectly or control a namespace: admin,
  edit, a control plane role, or a custom role with equivalent rights. In a platform namespace any such role counts,
  because a pod there can control the cluster. A role that only reads secrets, execs into or writes pods, or changes
  nodes, volumes or admission counts where people or the writer's own account get it for the whole cluster. A role that
  creates objects through which controllers act counts for accounts too, unless the writer installs a kind of each
  product that the role controls; to use this, an attacker must create a CustomResourceDefinition of the product's
  group.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Teams that get admin or edit in their own namespace from automation
triage:
  - "SELECT time, username, verb, kind, namespace, name, outcome FROM bindings WHERE username = '<identity>' ORDER BY time"
  - "SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by, revoked_at FROM grants WHERE binding = '<name>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE effective_username = '<subject>' ORDER BY time"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
covers: [RB-002]
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
SELECT event_id, what AS reason
FROM powerful_bindings
LEFT JOIN (SELECT cluster AS installed_cluster, role AS installed_role, username AS installer FROM installers) AS installs
  ON installed_cluster = cluster AND installer = username AND installed_role = role_name
-- Rights for a namespace's own team are daily work. Rights for the whole cluster, or a way to them, are not.
WHERE (reach = 'escalation' AND (is_built_in OR is_wide) AND NOT (takes_cluster AND is_wide))
  OR (reach = 'namespace' AND is_wide)
  OR (reach = 'cluster' AND NOT is_built_in AND NOT is_wide AND subject_kind = 'Group')
  -- Every pod of a namespace.
  OR (subject_kind = 'Group' AND starts_with(subject_name, 'system:serviceaccounts:'))
  OR (reach = 'part' AND is_wide AND (
    (subject_kind IN ('User', 'Group') AND subject_name NOT LIKE 'system:kube-%'
      AND subject_name NOT IN ('system:nodes', 'system:masters', 'kubeadm:cluster-admins'))
    OR (subject_kind = 'ServiceAccount' AND subject_name = service_account_name AND subject_namespace = service_account_namespace)
    -- Automation grants operators the rights that they need.
    OR (subject_kind = 'ServiceAccount' AND is_control AND identity_kind IN ('human', 'anonymous', 'node') AND installer IS NULL)
  ))
