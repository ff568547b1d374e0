/*
id: impersonation-denied
title: Denied impersonation
severity: low
confidence: medium
risk: 15
attack: [T1134]
tactics: [Privilege Escalation]
description: >-
  An identity without permission tries to impersonate another user or group. People who know their rights rarely try.
blind_spots: Allowed attempts.
false_positives:
  - Scripts with --as that run under the wrong account
triage:
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome FROM events WHERE activity = 'rbac' AND username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
covers: [WL-071]
controls: [IAM-16]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' may not impersonate '
    || coalesce(impersonated_username, substr(status_message, 1, 120), 'an unknown user') AS reason
FROM events
WHERE outcome = 'denied_authz' AND identity_kind <> 'controller'
  AND (status_message LIKE '%cannot impersonate resource%' OR status_message LIKE '%cannot impersonate-%')
