/*
id: workload-by-unusual-client
title: Workload written with curl, a plain HTTP library, or kubectl by a service account
aliases: [workload-by-script, workload-by-service-account-with-kubectl]
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1610, T1059, T1528]
tactics: [Execution, Lateral Movement]
description: x
false_positives:
  - In-house automation that uses plain HTTP libraries
  - Pipelines that deploy with kubectl
references:
  - https://attack.mitre.org/techniques/T1610/
  - https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [WL-075, WL-073]
controls: [AIS-06]
*/
SELECT
  event_id,
  CASE tool_kind WHEN 'interactive' THEN 'low' ELSE 'medium' END AS severity,
  coalesce(username, 'an unknown identity') || ' writes ' || resource || coalesce('/' || subresource, '') || ' ' || coalesce(name, '*')
    || coalesce(' in ' || namespace, '') || ' with ' || user_agent AS reason
FROM client_requests
WHERE activity = 'workload'
  AND ((tool_kind = 'interactive' AND identity_kind = 'service_account' AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch'))
    OR (verb IN ('create', 'update', 'patch') AND identity_kind NOT IN ('controller', 'anonymous')
      AND outcome IN ('allowed', 'dry_run') AND coalesce(subresource, '') NOT IN ('status', 'scale')
      AND (tool_kind IN ('shell', 'attack tool') OR tool_kind = 'library' AND identity_kind NOT IN ('service_account', 'cloud_service_account', 'system'))))
