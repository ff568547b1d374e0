/*
id: rights-copied-by-patch
title: Role rules or subjects copied or moved by a JSON patch
severity: high
confidence: medium
risk: 60
attack: [T1098.006, T1036]
tactics: [Privilege Escalation, Stealth]
description: >-
  A JSON Patch copies or moves a value into the rules of a role, or into the subjects or the role of a binding. The
  request does not name the granted rights: they are a value of a version that may not be in the log. Patch operations
  after a patch that exceeds podtrail's work limit count too.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Controllers that rearrange an object by JSON Patch
triage:
  - >-
    SELECT time, username, verb, resource, name, request_object, response_object FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT subject_kind, subject_name, role_name, granted_at, granted_by FROM grants WHERE binding = '<name>'
references:
  - https://datatracker.ietf.org/doc/html/rfc6902#section-4.5
covers: [RB-008]
controls: [IAM-16]
*/
SELECT
  event_id,
  verb || ' of ' || resource || ' ' || coalesce(name, '') || ' copies or moves '
    || coalesce(copy['value'], 'a value that is not in the log') || ' to ' || CASE copy['field'] WHEN '' THEN 'the whole object' ELSE copy['field'] END AS reason
FROM (
  SELECT event_id, verb, resource, name, unnest(rbac['copied']) AS copy
  FROM events
  WHERE activity = 'rbac' AND outcome = 'allowed' AND (identity_kind IS DISTINCT FROM 'controller')
)
WHERE split_part(copy['field'], '.', 1) IN ('', 'rules', 'subjects', 'roleRef', 'aggregationRule')
