/*
id: role-amended-unseen
title: Role rule widened by a patch, other rules not in the log
severity: high
routine: low
confidence: medium
risk: 50
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A JSON Patch changes part of a rule of a role, the response is not the role, and no previous version is in the log. A
  wildcard, or escalate, bind or impersonate, is high: its holders gain new rights, on whatever resources. Other verbs,
  resources that give credentials or code, and a removed limit to names are medium.
blind_spots: Writes logged at Metadata level. A whole added rule, which other detections report.
false_positives:
  - Administrators who patch a role where the log has no responses
triage:
  - >-
    SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time
  - >-
    SELECT * FROM grants WHERE role_name = '<name>' ORDER BY granted_at
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
covers: [RB-011]
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
    || coalesce(nullif(concat_ws(', ', 'verbs ' || array_to_string(verbs, ' '), 'resources ' || array_to_string(resources, ' '), 'groups ' || array_to_string(api_groups, ' ')), ''), 'another limit to names or paths')
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
