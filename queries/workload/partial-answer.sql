/*
id: partial-answer
title: Workload write with a partial object response
severity: low
confidence: medium
risk: 25
attack: [T1610, T1036]
tactics: [Execution, Stealth]
description: >-
  A workload, role or binding is written, and the client requests a Table or only metadata as the response. The audit
  log then does not contain the resulting object. Command-line tools request this only for reads, and controllers only
  when they write metadata; writes that change neither the pod template nor the rights of a role do not count.
blind_spots: Writes logged below RequestResponse.
false_positives:
  - Dashboards that print a table after each write
triage:
  - >-
    SELECT verb, resource, name, partial_answer, request_object FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT verb, resource, partial_answer, count(*) FROM events WHERE username = '<identity>' GROUP BY verb, resource, partial_answer
references:
  - https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
covers: [WL-060]
controls: [AIS-06]
*/
SELECT
  event_id,
  verb || ' of ' || resource || ' ' || coalesce(name, '') || ' answered with ' || partial_answer AS reason
FROM events
WHERE partial_answer IS NOT NULL AND outcome = 'allowed' AND subresource IS NULL
  AND verb IN ('create', 'update', 'patch')
  AND ((activity = 'workload' AND workload IS NOT NULL) OR (activity = 'rbac' AND rbac IS NOT NULL))
  AND (identity_kind IS NULL OR identity_kind NOT IN ('controller', 'node'))
