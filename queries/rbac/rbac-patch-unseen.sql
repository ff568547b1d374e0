/*
id: rbac-patch-unseen
aliases: [role-amended-unseen, subject-added-unseen, rights-copied-by-patch]
title: Patch of a role or binding whose other parts are not in the log
severity: high
confidence: medium
risk: 60
attack: [T1098.006, T1036]
tactics: [Privilege Escalation, Persistence, Stealth]
description: >-
  A patch widens a rule of a role, adds a subject to a binding, or copies or moves a value onto rules or subjects (JSON
  Patch), and the log does not show the rest: a widened rule may allow everything, the role of the binding may be
  cluster-admin, and the copied value may be anything. Harmless additions, such as get, count only if the response was
  requested in a form that hides the object.
blind_spots: A whole added rule, which other detections report.
false_positives:
  - Administrators who patch a role where the log has no responses
  - Administrators who patch a binding where the log has no responses
  - Controllers that rearrange an object by JSON Patch
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/
  - https://datatracker.ietf.org/doc/html/rfc6902#section-4.5
covers: [RB-011, RB-002, RB-008]
controls: [IAM-16]
*/
SELECT
  event_id,
  CASE
    WHEN array_has_any(verbs, make_array('*', 'escalate', 'bind', 'impersonate'))
      OR array_has(resources, '*') OR array_has(api_groups, '*') OR array_has(non_resource_urls, '*')
    THEN 'high'
    ELSE 'medium'
  END AS severity,
  kind || ' ' || coalesce(name, '') || ' gets '
    || coalesce(nullif(concat_ws(', ', 'verbs ' || array_to_string(verbs, ' '), 'resources ' || array_to_string(resources, ' '), 'groups ' || array_to_string(api_groups, ' ')), ''), 'other names or paths')
    || ' in a rule whose other parts are not in the log' AS reason
FROM role_rules
WHERE amends AND body_source = 'patch' AND verb = 'patch' AND outcome = 'allowed'
  AND (identity_kind IS DISTINCT FROM 'controller')
  -- Part of the rule is not visible.
  AND (verbs IS NULL OR (resources IS NULL AND non_resource_urls IS NULL))
  AND (verbs IS NULL OR cardinality(array_remove_all(array_remove_all(array_remove_all(verbs, 'get'), 'list'), 'watch')) > 0 OR partial_answer IS NOT NULL)
  AND (resources IS NULL OR verbs IS NOT NULL OR partial_answer IS NOT NULL
    OR array_has_any(resources, make_array(
      '*', 'secrets', 'pods', 'pods/exec', 'pods/attach', 'pods/ephemeralcontainers', 'nodes/proxy', 'serviceaccounts/token', 'serviceaccounts',
      'roles', 'clusterroles', 'rolebindings', 'clusterrolebindings', 'daemonsets', 'deployments', 'statefulsets', 'replicasets', 'jobs', 'cronjobs',
      'users', 'groups', 'certificatesigningrequests/approval', 'mutatingwebhookconfigurations', 'validatingwebhookconfigurations')))
UNION ALL
SELECT
  event_id,
  CASE WHEN kind = 'ClusterRoleBinding' AND partial_answer IS NOT NULL THEN 'high' ELSE 'medium' END AS severity,
  verb || ' of ' || kind || ' ' || coalesce(name, '') || ' binds ' || coalesce(subject_kind, 'an unknown identity') || ' '
    || concat_ws('/', subject_namespace, subject_name) || ' to a role that is not in the log' AS reason
FROM bindings
WHERE body_source = 'patch' AND verb = 'patch' AND outcome = 'allowed' AND role_name IS NULL
  AND (subject_kind IS NOT NULL OR subject_name IS NOT NULL OR subject_namespace IS NOT NULL) AND (identity_kind IS DISTINCT FROM 'controller')
  AND (kind = 'ClusterRoleBinding' OR partial_answer IS NOT NULL)
UNION ALL
SELECT
  event_id,
  'high' AS severity,
  verb || ' of ' || resource || ' ' || coalesce(name, '') || ' copies or moves '
    || coalesce(copy['value'], 'a value that is not in the log') || ' to ' || CASE copy['field'] WHEN '' THEN 'the whole object' ELSE copy['field'] END AS reason
FROM (
  SELECT event_id, verb, resource, name, unnest(rbac['copied']) AS copy
  FROM events
  WHERE activity = 'rbac' AND outcome = 'allowed' AND (identity_kind IS DISTINCT FROM 'controller')
)
WHERE split_part(copy['field'], '.', 1) IN ('', 'rules', 'subjects', 'roleRef', 'aggregationRule')
