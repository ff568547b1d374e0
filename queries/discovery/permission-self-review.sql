/*
id: permission-self-review
title: Self-review of permissions (kubectl auth can-i)
severity: low
confidence: medium
risk: 5
attack: [T1069, T1613]
tactics: [Discovery]
description: >-
  An identity lists all of its permissions (SelfSubjectRulesReview) or its own user name (SelfSubjectReview), or a
  service account or node sends a single check (SelfSubjectAccessReview) for the first time with this client. Single
  checks by people, which consoles send, do not count.
blind_spots: Permissions tried instead of queried.
false_positives:
  - kubectl auth can-i --list, and dashboards that hide forbidden actions
triage:
  - SELECT time, verb, resource, subresource, namespace, name, outcome, user_agent, client_ip FROM events WHERE username = '<identity>' ORDER BY time
  - SELECT DISTINCT client_ip, user_agent, min(time) OVER (PARTITION BY client_ip, user_agent) AS since FROM events WHERE username = '<identity>'
  - SELECT time, verb, resource, namespace, name FROM events WHERE username = '<identity>' AND outcome = 'allowed' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1069/
  - https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
covers: [DI-001]
*/
WITH reviews AS (
  SELECT event_id, cluster, username, identity_kind, resource, user_agent, outcome, time, true AS in_scope
  FROM events
  WHERE resource IN ('selfsubjectrulesreviews', 'selfsubjectreviews', 'selfsubjectaccessreviews') AND verb = 'create'
  UNION ALL
  SELECT event_id, cluster, username, identity_kind, resource, user_agent, outcome, time, false AS in_scope
  FROM events_history
  WHERE resource = 'selfsubjectaccessreviews' AND verb = 'create'
),
numbered AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY cluster, username, resource, split_part(user_agent, '/', 1) ORDER BY time, event_id
    ) AS nth
  FROM reviews
  WHERE identity_kind NOT IN ('controller', 'system')
)
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || CASE resource
    WHEN 'selfsubjectrulesreviews' THEN ' lists its own permissions'
    WHEN 'selfsubjectreviews' THEN ' queries its own user name'
    ELSE ' checks a permission, for the first time with ' || coalesce(user_agent, 'this client')
  END AS reason
FROM numbered
WHERE in_scope
  AND (resource <> 'selfsubjectaccessreviews' OR (nth = 1 AND identity_kind IN ('service_account', 'node')))
