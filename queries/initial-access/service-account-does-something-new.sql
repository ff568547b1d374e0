/*
id: service-account-does-something-new
title: New behaviour of a service account
severity: low
confidence: low
risk: 10
attack: [T1078]
tactics: [Lateral Movement, Privilege Escalation]
description: >-
  A known service account does something with a wider effect than its everyday work for the first time: it writes a
  workload or a role, reads secrets, runs a command in a pod or requests a token.
blind_spots: Accounts with few requests. Activity before the log begins.
false_positives:
  - New versions of operators
triage:
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1078/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [IA-009]
controls: [IAM-16]
parameters:
  known_after:
    type: integer
    default: 50
    description: Number of requests that make an account known
*/
WITH requests AS (
  SELECT * FROM all_events
),
numbered AS (
  SELECT
    event_id, cluster, activity, username, verb, resource, subresource, namespace, in_scope,
    row_number() OVER (PARTITION BY cluster, username ORDER BY time, event_id) AS nth,
    row_number() OVER (PARTITION BY cluster, username, verb, resource, subresource ORDER BY time, event_id) AS nth_of_kind
  FROM requests
  WHERE identity_kind = 'service_account' AND outcome = 'allowed'
)
SELECT
  event_id,
  username || ' sends for the first time: ' || verb || ' ' || concat_ws('/', resource, subresource)
    || coalesce(' in ' || namespace, '') AS reason
FROM numbered
WHERE in_scope AND nth > $known_after AND nth_of_kind = 1
  AND (activity IN ('workload', 'rbac', 'secret', 'access') OR subresource = 'token')
