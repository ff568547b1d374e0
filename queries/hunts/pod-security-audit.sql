/*
title: Pod Security violations recorded in audit mode
description: >-
  Workload writes that Pod Security admission allowed and recorded as a violation of the audit level of their namespace, or
  as exempt. pod-security-danger-unseen reports the dangerous ones whose body is not in the log.
parameters:
  namespace: {type: text, description: "Namespace, or a LIKE pattern", default: '%'}
*/
SELECT
  time, cluster, username, verb, resource, namespace, name,
  annotations['pod-security.kubernetes.io/audit-violations'] AS violations,
  annotations['pod-security.kubernetes.io/exempt'] AS exemption, event_id
FROM events
WHERE activity = 'workload' AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node')
  AND (annotations['pod-security.kubernetes.io/audit-violations'] IS NOT NULL OR annotations['pod-security.kubernetes.io/exempt'] IS NOT NULL)
  AND coalesce(namespace, '') LIKE $namespace
ORDER BY time, event_id
