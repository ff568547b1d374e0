/*
id: first-rbac-by-identity
title: First role or binding written by an identity
severity: low
confidence: medium
risk: 10
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: An identity writes a role or binding for the first time in the log and the look-back.
blind_spots: Activity before the log begins. The first hour of a log counts as known.
false_positives:
  - New administrators and new automation
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [RB-025]
controls: [IAM-16]
*/
WITH writes AS (
  SELECT event_id, cluster, username, time, verb, resource, name, in_scope
  FROM all_events
  WHERE activity = 'rbac' AND api_group IN ('rbac.authorization.k8s.io', 'authorization.openshift.io') AND outcome = 'allowed'
    AND identity_kind IN ('human', 'service_account', 'cloud_service_account')
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, username ORDER BY time, event_id) AS nth FROM writes
)
SELECT event_id, 'first role or binding by ' || username || ' in this log: ' || verb || ' of ' || resource || ' ' || coalesce(name, '') AS reason
FROM numbered
WHERE nth = 1 AND in_scope
