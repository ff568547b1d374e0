/*
id: workload-refused-by-policy
title: Workload denied by admission
severity: low
confidence: medium
risk: 10
attack: [T1610]
tactics: [Execution]
description: >-
  A workload is denied by Pod Security, a webhook, an admission policy or a quota: the manifest is wrong, or an identity
  probes the limits of a policy. The body shows the attempt.
blind_spots: >-
  Policies that only warn or audit.
false_positives:
  - Developers with manifests that violate a policy
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
  coalesce(username, 'an unknown identity') || ' is denied ' || resource || ' ' || coalesce(name, '*') || coalesce(' in ' || namespace, '')
    || coalesce(': ' || substr(status_message, 1, 160), '') AS reason
FROM events
WHERE activity = 'workload' AND workload IS NOT NULL AND outcome = 'denied_admission'
  AND identity_kind NOT IN ('controller', 'node')
