/*
id: denied-requests
aliases: [denied-write, denied-service-account]
title: Denied requests
severity: low
confidence: medium
risk: 10
attack: [T1078, T1613, T1610, T1098, T1609]
tactics: [Discovery, Initial Access, Execution, Privilege Escalation]
description: >-
  Requests denied for missing credentials or permissions, one row per identity and kind of request (info). The severity
  is low where an identity tries to write a workload, a role or a binding, or to enter a pod, and where a service
  account is denied a kind of request for the first time in the log and the look-back: its program changed, or another
  identity uses its token.
blind_spots: >-
  Clients blocked by the network. Requests denied by admission, which other detections judge. Bodies, which are not
  logged for denied requests. Activity before the log begins.
false_positives:
  - Daily events in every cluster
  - People in the wrong namespace, and pipelines with missing permissions
  - Operators after an upgrade, and revoked permissions
references:
  - https://attack.mitre.org/techniques/T1078/
  - https://attack.mitre.org/techniques/T1610/
covers: [DI-012, DI-008, DI-006]
controls: [IAM-16]
*/
WITH denied AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY cluster, username, outcome, verb, api_group, resource, subresource ORDER BY time, event_id) AS nth
  FROM all_events
  WHERE outcome IN ('denied_authn', 'denied_authz')
),
judged AS (
  SELECT
    *,
    outcome = 'denied_authz' AND identity_kind = 'service_account' AND nth = 1 AS is_new,
    outcome = 'denied_authz' AND identity_kind NOT IN ('controller', 'node', 'system') AND (
      activity = 'access' AND resource = 'pods'
      OR activity IN ('workload', 'rbac') AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')) AS is_write
  FROM denied
  WHERE in_scope
)
SELECT
  -- One event represents all, except where several objects may be the target.
  unnest(array_slice(array_agg(event_id ORDER BY time, event_id), 1, CASE WHEN bool_or(is_write) THEN 50 ELSE 1 END)) AS event_id,
  CASE WHEN bool_or(is_new OR is_write) THEN 'low' ELSE 'info' END AS severity,
  coalesce(username, client_ip, 'an unknown identity') || CASE outcome WHEN 'denied_authn' THEN ' failed to authenticate: ' ELSE ' is not allowed to ' END
    || coalesce(verb, 'request') || ' ' || coalesce(resource || coalesce('/' || subresource, ''), 'paths')
    || coalesce(' in ' || namespace, '') || ', ' || count(*) || CASE count(*) WHEN 1 THEN ' request' ELSE ' requests' END
    || CASE WHEN bool_or(is_new) THEN ', for the first time, user agent ' || coalesce(min(user_agent), '?') ELSE '' END AS reason
FROM judged
GROUP BY cluster, username, impersonated_username, client_ip, outcome, verb, resource, subresource, namespace
