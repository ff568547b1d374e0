/*
id: permission-self-review
aliases: [permissions-listed-by-service-account]
title: Self-review of permissions (kubectl auth can-i)
severity: medium
confidence: medium
risk: 30
attack: [T1069, T1613, T1528]
tactics: [Discovery]
description: >-
  An identity lists all of its permissions (SelfSubjectRulesReview) or its own user name (SelfSubjectReview), or a
  service account or node sends a single check (SelfSubjectAccessReview) for the first time with this client. Single
  checks by people, which consoles send, do not count. The severity is medium where a service account or a node lists
  its permissions or name for the first time with this client: a program does not need this, the holder of a stolen
  token does. Otherwise it is low.
blind_spots: >-
  Permissions tried instead of queried. Tokens tested with other requests. A client with the user agent of the program.
false_positives:
  - kubectl auth can-i --list, and dashboards that hide forbidden actions
  - Consoles that use the token of a service account
references:
  - https://attack.mitre.org/techniques/T1069/
  - https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
  - https://attack.mitre.org/techniques/T1528/
covers: [DI-001]
*/
WITH reviews AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY cluster, username, resource, user_agent_tool(user_agent), outcome ORDER BY time, event_id) AS nth
  FROM all_events
  WHERE resource IN ('selfsubjectrulesreviews', 'selfsubjectreviews', 'selfsubjectaccessreviews') AND verb = 'create'
    AND identity_kind NOT IN ('controller', 'system')
)
SELECT
  event_id,
  CASE
    WHEN resource <> 'selfsubjectaccessreviews' AND outcome = 'allowed' AND nth = 1 AND identity_kind IN ('service_account', 'node') THEN 'medium'
    ELSE 'low'
  END AS severity,
  coalesce(username, 'an unknown identity') || CASE resource
    WHEN 'selfsubjectrulesreviews' THEN ' lists its own permissions'
    WHEN 'selfsubjectreviews' THEN ' queries its own user name'
    ELSE ' checks a permission'
  END || coalesce(', user agent ' || user_agent, '') AS reason
FROM reviews
WHERE in_scope AND (resource <> 'selfsubjectaccessreviews' OR (nth = 1 AND identity_kind IN ('service_account', 'node')))
