/*
id: group-members-changed
title: OpenShift group membership changed
severity: medium
confidence: medium
risk: 40
attack: [T1098, T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  An OpenShift group (user.openshift.io) is created, or its members change. Members get the rights of the group's
  bindings without a new binding. Severity is high where the group is an administrator group by its name or by a binding
  in the log, or where the writer adds itself. A service account that wrote groups before, such as an LDAP
  synchronisation, is low unless the group is an administrator group: an attacker needs the token of that account and a
  group without powers.
blind_spots: >-
  Groups that an identity provider assigns at login, which are not objects. Writes at Metadata level, which do not show
  the members.
false_positives:
  - Administrators who maintain groups by hand
triage:
  - >-
    SELECT time, username, verb, resource, name, outcome, request_object FROM events WHERE event_id = '<event_id>'
references:
  - >-
    https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/authentication_and_authorization/ldap-syncing
covers: [RB-005]
controls: [IAM-16]
*/
WITH written AS (
  SELECT
    *,
    coalesce(response_object, request_object) AS object,
    row_number() OVER (PARTITION BY cluster, effective_username ORDER BY time, event_id) AS nth
  FROM all_events
  WHERE activity = 'write' AND api_group = 'user.openshift.io' AND resource = 'groups' AND subresource IS NULL
    AND verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND identity_kind <> 'controller'
    -- A patch that changes only labels.
    AND (verb <> 'patch' OR request_object IS NULL OR contains(request_object, '"users"') OR contains(request_object, '/users'))
),
powerful AS (
  SELECT DISTINCT cluster, subject_name FROM powerful_bindings WHERE subject_kind = 'Group' AND is_wide
  UNION
  SELECT DISTINCT cluster, subject_name FROM grants WHERE subject_kind = 'Group' AND role_name = 'cluster-admin'
)
SELECT
  written.event_id,
  CASE
    WHEN powerful.subject_name IS NOT NULL OR regexp_like(written.name, '(^|[^a-z])(admins?|administrators?|sudoers?|masters|root|sre|owners?)($|[^a-z])', 'i') THEN 'high'
    WHEN contains(object, '"' || written.effective_username || '"') AND identity_kind <> 'service_account' THEN 'high'
    WHEN identity_kind = 'service_account' AND nth > 1 THEN 'low'
    ELSE 'medium'
  END AS severity,
  coalesce(written.username, 'an unknown identity') || CASE WHEN created THEN ' creates group ' ELSE ' changes group ' END || coalesce(written.name, '')
    || coalesce(', members ' || left(json_get_json(object, 'users'), 200), '') AS reason
FROM written
LEFT JOIN powerful ON powerful.cluster = written.cluster AND powerful.subject_name = written.name
WHERE in_scope
