/*
id: workload-denied
title: Workload write denied by authorization or admission
aliases: [workload-refused-by-policy, pod-security-refused]
severity: low
confidence: medium
risk: 10
attack: [T1610]
tactics: [Execution]
description: >-
  An identity tries to write a workload and is denied: it has no permission, or Pod Security, a webhook, an admission
  policy or a quota rejects the object. Its role or manifest is wrong, or it probes the limits of a credential or a
  policy. The body shows the attempt, and the message of Pod Security lists the failed checks.
blind_spots: Allowed attempts. Policies that only warn or audit. Messages of old API servers, which do not log them.
false_positives:
  - Pipelines with wrong rights, and people in the wrong namespace
  - Developers whose manifests violate a policy or are not hardened yet
triage:
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
  - >-
    SELECT time, username, verb, namespace, outcome FROM events WHERE resource = 'namespaces' AND name = '<namespace>' AND verb <> 'get' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://kubernetes.io/docs/concepts/security/pod-security-admission/
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-076, WL-077, WL-029]
controls: [IAM-16, AIS-06]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || CASE WHEN outcome = 'denied_authz' THEN ' is not allowed to ' ELSE ' is denied by admission to ' END
    || verb || ' ' || resource || ' ' || coalesce(name, '*') || coalesce(' in ' || namespace, '')
    || CASE WHEN outcome = 'denied_admission' THEN coalesce(': ' || left(coalesce(status_message, response_object), 300), '') ELSE '' END AS reason
FROM events
WHERE activity = 'workload'
  AND ((outcome = 'denied_authz' AND workload IS NOT NULL AND identity_kind NOT IN ('controller', 'anonymous', 'node'))
    OR (outcome = 'denied_admission' AND identity_kind NOT IN ('controller', 'node')
      AND (workload IS NOT NULL OR contains(coalesce(status_message, response_object), 'violates PodSecurity'))))
