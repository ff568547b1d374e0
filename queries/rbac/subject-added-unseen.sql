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
  A patch gives a binding subjects, the answer is not the binding, and neither a version before nor the binding's name
  tells which role they get. It may be any. It is high where a cluster role binding is patched and the client asks for a
  Table or for metadata alone as the answer, so that the log does not hold the role.
blind_spots: Writes that are logged at Metadata level.
false_positives:
  - Administrators who patch a binding where the log holds no responses
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
