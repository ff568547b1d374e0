/*
id: workload-by-script
title: Workload created with curl or a similar client
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1610, T1059]
tactics: [Execution]
description: >-
  A workload is written with curl, a plain HTTP library or an attack tool. People use kubectl, and automation uses a
  Kubernetes client; a plain client is typical of a stolen credential. For service accounts only curl and similar tools
  count, because in-house programs often use a plain library.
blind_spots: The user agent, which the client chooses.
false_positives:
  - In-house automation that uses plain HTTP libraries
triage:
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT username, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY username
references:
  - https://attack.mitre.org/techniques/T1610/
  - https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
covers: [WL-075, WL-073]
controls: [AIS-06]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' writes ' || resource || coalesce('/' || subresource, '') || ' ' || coalesce(name, '*') || coalesce(' in ' || namespace, '')
    || ' with ' || user_agent AS reason
FROM client_requests
WHERE activity = 'workload' AND verb IN ('create', 'update', 'patch') AND identity_kind NOT IN ('controller', 'anonymous')
  AND outcome IN ('allowed', 'dry_run') AND coalesce(subresource, '') NOT IN ('status', 'scale')
  AND (tool_kind IN ('shell', 'attack tool') OR tool_kind = 'library' AND identity_kind NOT IN ('service_account', 'cloud_service_account', 'system'))
