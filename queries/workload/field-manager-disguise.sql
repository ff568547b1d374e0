/*
id: field-manager-disguise
title: Spec written under the field manager of another tool
severity: medium
confidence: high
risk: 50
attack: [T1036]
tactics: [Stealth]
description: >-
  A patch writes the spec of a workload with the field manager of kubectl label or kubectl annotate, which only write
  metadata. The client chooses this name, so the change is disguised as a smaller one.
blind_spots: Field managers that may write a spec. Logs without request URIs, and writes without a body in the log.
false_positives:
  - Scripts that set a field manager by hand
triage:
  - >-
    SELECT request_uri, user_agent, request_object FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT change, container, field, before, after FROM changes WHERE event_id = '<event_id>'
references:
  - https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers
covers: [WL-060]
controls: [AIS-06]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' writes the spec of ' || resource || ' ' || coalesce(name, '') || ' with field manager ' || field_manager AS reason
FROM events
WHERE activity = 'workload' AND verb = 'patch' AND outcome = 'allowed' AND subresource IS NULL
  -- A patch of metadata writes no workload, and without a body the content is unknown.
  AND workload IS NOT NULL AND workload['body_source'] <> 'none'
  AND field_manager IN ('kubectl-label', 'kubectl-annotate')
