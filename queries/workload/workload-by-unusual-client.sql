/*
id: workload-by-unusual-client
title: Workload written with an unusual client
aliases: [workload-by-script, workload-by-service-account-with-kubectl]
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1610, T1059, T1528]
tactics: [Execution, Lateral Movement]
description: >-
  A workload is written with a client that does not fit the identity. Medium: curl, a plain HTTP library or an attack
  tool, which is typical of a stolen credential, because people use kubectl and automation uses a Kubernetes client. For
  service accounts only curl and similar tools count, because in-house programs often use a plain library. Low: kubectl
  or a dashboard used by a service account, by a pipeline or a person with its token.
blind_spots: The user agent, which the client chooses.
false_positives:
  - In-house automation that uses plain HTTP libraries
  - Pipelines that deploy with kubectl
triage:
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT username, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY username
  - SELECT time, username, namespace, name, outcome, client_ip FROM events WHERE resource = 'serviceaccounts' AND subresource = 'token' AND identity_kind NOT IN ('node', 'controller') ORDER BY time
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
WHERE activity = 'workload' AND verb IN ('create', 'update', 'patch') AND coalesce(subresource, '') NOT IN ('status', 'scale')
  AND outcome IN ('allowed', 'dry_run') AND identity_kind NOT IN ('controller', 'anonymous')
  AND (tool_kind IN ('shell', 'attack tool')
    OR (tool_kind = 'library' AND identity_kind NOT IN ('service_account', 'cloud_service_account', 'system'))
    OR (tool_kind = 'interactive' AND identity_kind = 'service_account' AND outcome = 'allowed' AND writes_workload))
