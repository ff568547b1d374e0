/*
id: impersonated-secret-read
title: Secrets read under impersonation
severity: medium
confidence: high
risk: 40
attack: [T1134, T1552.007]
tactics: [Privilege Escalation, Credential Access]
description: >-
  An identity reads secrets by impersonating another user (kubectl --as): its own rights do not allow it, or it hides
  its identity.
blind_spots: >-
  Tokens requested for the other account: see token-request.
false_positives:
  - Gateways that authenticate people and impersonate them
triage:
  - >-
    SELECT time, impersonated_username, verb, resource, namespace, name, outcome FROM events WHERE username = '<identity>' AND impersonated_username IS NOT NULL ORDER BY time
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
  - https://attack.mitre.org/techniques/T1552/007/
covers: [WL-071, CA-002]
controls: [IAM-16, DSP-15]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' reads secret ' || coalesce(namespace || '/', '') || coalesce(name, '*') || ' as '
    || impersonated_username AS reason
FROM events
WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('get', 'list', 'watch')
  AND impersonated_username IS NOT NULL AND outcome = 'allowed'
