/*
id: secret-access-denied
title: Denied secret access
severity: low
confidence: medium
risk: 5
attack: [T1552.007]
tactics: [Credential Access]
description: >-
  An identity is denied access to secrets: its role is wrong, or its credential is stolen. One row per identity and
  namespace.
blind_spots: Allowed requests.
false_positives:
  - Roles that are too narrow for a tool, and dashboards that try everything
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [CA-006, CA-007]
controls: [IAM-16]
*/
SELECT
  min(event_id) AS event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' is not allowed to read secrets '
    || coalesce('of ' || namespace, 'of all namespaces') || ': ' || count(*) || ' requests' AS reason
FROM events
WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('get', 'list', 'watch') AND outcome = 'denied_authz'
  -- A kubelet loses its right to a secret when the pod that uses it is gone.
  AND identity_kind NOT IN ('controller', 'node')
GROUP BY cluster, username, impersonated_username, namespace
