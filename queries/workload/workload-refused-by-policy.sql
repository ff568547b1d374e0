/*
id: workload-refused-by-policy
title: Workload denied by admission
severity: low
confidence: medium
risk: 10
attack: [T1610]
tactics: [Execution]
description: >-
  A workload is denied by Pod Security, a webhook, an admission policy or a quota: a manifest that does not fit, or an
  identity who tries how far a policy reaches. The body shows what was tried.
blind_spots: >-
  Policies that only warn or audit.
false_positives:
  - Developers with manifests that do not fit yet
triage:
  - >-
    SELECT time, object, namespace, status_code FROM workloads WHERE username = '<identity>' AND outcome = 'denied_admission' ORDER BY time
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, name, role, image, privileged FROM containers WHERE event_id = '<event_id>'
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-admission/
covers: [WL-077]
controls: [AIS-06]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' is refused ' || resource || ' ' || coalesce(name, '*') || coalesce(' in ' || namespace, '')
    || coalesce(': ' || substr(status_message, 1, 160), '') AS reason
FROM events
WHERE activity = 'workload' AND workload IS NOT NULL AND outcome = 'denied_admission'
  AND identity_kind NOT IN ('controller', 'node')
