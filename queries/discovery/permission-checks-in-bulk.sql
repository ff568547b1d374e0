/*
id: permission-checks-in-bulk
title: Bulk permission checks
severity: low
confidence: medium
risk: 12
attack: [T1069, T1613]
tactics: [Discovery]
description: >-
  Within a minute an identity sends many single permission checks to the API server: a tool maps the rights of a
  credential. permission-self-review reports requests that list all permissions.
blind_spots: Fewer or slower checks. Permissions tried instead of queried.
false_positives:
  - Consoles and dashboards that hide forbidden actions, when a person opens them
references:
  - https://attack.mitre.org/techniques/T1069/
  - https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
covers: [DI-001]
parameters:
  questions:
    type: integer
    default: 15
    description: Minimum number of checks within a minute
*/
WITH asked AS (
  SELECT event_id, cluster, coalesce(impersonated_username, username) AS identity, client_ip, user_agent, time
  FROM events
  WHERE resource IN ('selfsubjectaccessreviews', 'subjectaccessreviews', 'localsubjectaccessreviews', 'resourceaccessreviews', 'localresourceaccessreviews')
    AND verb = 'create' AND identity_kind IN ('human', 'service_account', 'anonymous') AND outcome IN ('allowed', 'denied_authz')
    -- Servers check the permissions of others for each request that they receive.
    AND (resource = 'selfsubjectaccessreviews' OR identity_kind <> 'service_account')
),
-- A sliding minute that begins at any of the checks, not a calendar minute.
windows AS (
  SELECT
    *,
    count(*) OVER (PARTITION BY cluster, identity ORDER BY time RANGE BETWEEN CURRENT ROW AND INTERVAL '60 seconds' FOLLOWING) >= $questions AS begins_one
  FROM asked
),
of_windows AS (
  SELECT
    *,
    max(CASE WHEN begins_one THEN 1 ELSE 0 END) OVER (
      PARTITION BY cluster, identity ORDER BY time RANGE BETWEEN INTERVAL '60 seconds' PRECEDING AND CURRENT ROW
    ) = 1 AS is_in_one
  FROM windows
),
sessions AS (
  SELECT *, session_number(time, 60) OVER (PARTITION BY cluster, identity ORDER BY time, event_id) AS session FROM of_windows WHERE is_in_one
)
SELECT
  array_slice(array_agg(event_id ORDER BY time), 1, 50) AS event_id,
  coalesce(identity, 'an unknown identity') || ' sends ' || count(*) || ' permission checks, user agent ' || coalesce(min(user_agent), 'an unknown client')
    AS reason
FROM sessions
GROUP BY cluster, identity, session
