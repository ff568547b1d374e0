/*
id: admission-policy-changed
title: Admission policy changed
severity: low
confidence: low
risk: 8
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  An admission policy, its binding or its exemption is changed or deleted by any identity: a policy engine that
  maintains its own objects, automation, or a person whose new version shows no gap but cannot be compared with the
  previous one.
blind_spots: Renewed certificates.
false_positives:
  - Maintenance of policies
triage:
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT time, username, verb, outcome FROM events WHERE resource = '<resource>' AND name = '<name>' ORDER BY time"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
covers: [DE-004]
*/
SELECT event_id, act || ': ' || string_agg(what, '; ') AS reason
FROM guard_writes
WHERE in_scope AND kind IN ('policy', 'exemption') AND identity_kind <> 'controller'
  AND change NOT IN ('certificate', 'unseen')
GROUP BY event_id, act
