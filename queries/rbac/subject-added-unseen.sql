/*
id: subject-added-unseen
title: Subject added to a binding whose role is not in the log
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A patch adds subjects to a binding, the response is not the binding, and neither a previous version nor the binding's
  name shows the role. It may be any role. Severity is high where a ClusterRoleBinding is patched and the client
  requests a Table or only metadata as the response, so that the log does not contain the role.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Administrators who patch a binding where the log has no responses
triage:
  - >-
    SELECT time, username, verb, kind, namespace, name, role_name, subject_name, partial_answer FROM bindings WHERE name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE effective_username = '<subject>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/
covers: [RB-002]
controls: [IAM-16]
*/
SELECT
  event_id,
  CASE WHEN kind = 'ClusterRoleBinding' AND partial_answer IS NOT NULL THEN 'high' ELSE 'medium' END AS severity,
  verb || ' of ' || kind || ' ' || coalesce(name, '') || ' binds ' || coalesce(subject_kind, 'an unknown identity') || ' '
    || concat_ws('/', subject_namespace, subject_name) || ' to a role that is not in the log' AS reason
FROM bindings
WHERE body_source = 'patch' AND verb = 'patch' AND outcome = 'allowed' AND role_name IS NULL
  AND (subject_kind IS NOT NULL OR subject_name IS NOT NULL OR subject_namespace IS NOT NULL) AND (identity_kind IS DISTINCT FROM 'controller')
  AND (kind = 'ClusterRoleBinding' OR partial_answer IS NOT NULL)
