/*
id: workload-by-service-account-with-kubectl
title: Workload created by a service account with kubectl
severity: low
confidence: medium
risk: 10
attack: [T1610, T1528]
tactics: [Execution, Lateral Movement]
description: >-
  A service account writes a workload with kubectl or a dashboard: a pipeline, or a person with its token.
blind_spots: Clients with another user agent.
false_positives:
  - Pipelines that deploy with kubectl
triage:
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, username, namespace, name, outcome, client_ip FROM events WHERE resource = 'serviceaccounts' AND subresource = 'token' AND identity_kind NOT IN ('node', 'controller') ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://attack.mitre.org/techniques/T1610/
covers: [WL-073]
controls: [AIS-06]
*/
SELECT requests.event_id, requests.username || ' writes ' || object || coalesce(' in ' || requests.namespace, '') || ' with ' || requests.user_agent AS reason
FROM workloads AS requests
JOIN client_requests USING (event_id)
WHERE requests.identity_kind = 'service_account' AND tool_kind = 'interactive' AND client_requests.activity = 'workload'
  AND requests.outcome = 'allowed'
