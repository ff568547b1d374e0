/*
id: network-policy-removed
title: NetworkPolicy deleted or opened
severity: low
confidence: low
risk: 10
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  A NetworkPolicy is deleted, is written so that it allows all traffic, or allows more, or selects fewer pods, than the
  previous version in the log.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Releases
triage:
  - SELECT time, username, verb, namespace, name, policy_types, allows_all FROM network_policies ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/services-networking/network-policies/
covers: [DE-006]
controls: [IPY-03]
*/
SELECT
  event_id,
  verb || ' of NetworkPolicy ' || coalesce(name, '') || coalesce(' in ' || namespace, '') || ', which allows all traffic' AS reason
FROM network_policies
WHERE outcome = 'allowed' AND identity_kind NOT IN ('controller', 'system')
  AND verb NOT IN ('delete', 'deletecollection') AND allows_all
UNION ALL
SELECT event_id, act || ': ' || string_agg(what, '; ') AS reason
FROM guard_writes
WHERE in_scope AND kind = 'network' AND identity_kind NOT IN ('controller', 'system')
  AND (compared OR change IN ('removed', 'collected') OR (change IN ('unseen', 'emptied') AND identity_kind = 'human'))
GROUP BY event_id, act
