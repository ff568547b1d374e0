/*
id: network-policy-removed
title: Network policy deleted or opened
severity: low
confidence: low
risk: 10
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  A network policy is deleted, or written so that it lets everything pass.
blind_spots: >-
  Writes that are logged at Metadata level show no rules, subjects or specs.
false_positives:
  - Releases
triage:
  - "SELECT time, username, verb, namespace, name, policy_types, allows_all FROM network_policies ORDER BY time"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
references:
  - https://kubernetes.io/docs/concepts/services-networking/network-policies/
covers: [DE-006]
controls: [IPY-03]
*/
SELECT
  event_id,
  verb || ' of network policy ' || coalesce(name, '') || coalesce(' in ' || namespace, '')
    || CASE WHEN verb IN ('delete', 'deletecollection') THEN '' ELSE ', which lets everything pass' END AS reason
FROM network_policies
WHERE outcome = 'allowed' AND identity_kind NOT IN ('controller', 'system')
  AND (verb IN ('delete', 'deletecollection') OR allows_all)
UNION ALL
SELECT event_id, verb || ' of ' || resource || ' ' || coalesce(name, '') || coalesce(' in ' || namespace, '') AS reason
FROM events
WHERE activity = 'write' AND verb IN ('delete', 'deletecollection') AND outcome = 'allowed'
  AND identity_kind NOT IN ('controller', 'system')
  AND resource IN ('ciliumnetworkpolicies', 'ciliumclusterwidenetworkpolicies', 'globalnetworkpolicies', 'adminnetworkpolicies', 'baselineadminnetworkpolicies')
