/*
id: first-exec-in-namespace
title: First exec by an identity in a namespace
severity: low
confidence: medium
risk: 5
attack: [T1609]
tactics: [Execution]
description: >-
  An identity execs into, attaches to or forwards a port of a pod in this namespace for the first time in the log and
  the look-back.
blind_spots: Activity before the log begins. Identities active within its first moments count as known.
false_positives:
  - New team members, and people on call
references:
  - https://attack.mitre.org/techniques/T1609/
covers: [EX-010]
parameters:
  learning_seconds:
    type: integer
    default: 30
    description: How long the log must run before an identity counts as new
*/
WITH uses AS (
  SELECT event_id, cluster, username, namespace, name, subresource, time, true AS in_scope
  FROM execs
  WHERE outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
  UNION ALL
  SELECT event_id, cluster, username, namespace, name, subresource, time, false AS in_scope
  FROM execs_history
  WHERE outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, username, namespace ORDER BY time, event_id) AS nth FROM uses
)
SELECT
  event_id,
  'first ' || subresource || ' by ' || coalesce(username, 'an unknown identity') || ' in ' || coalesce(namespace, '')
    || ': pod ' || coalesce(name, '') AS reason
FROM numbered
JOIN history_begins USING (cluster)
WHERE nth = 1 AND in_scope
  AND date_diff('second', log_begins, time) >= $learning_seconds
