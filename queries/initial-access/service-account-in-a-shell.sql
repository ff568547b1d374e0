/*
id: service-account-in-a-shell
title: Service account used from a shell
severity: medium
confidence: medium
risk: 25
attack: [T1528, T1550.001, T1609]
tactics: [Credential Access, Execution, Discovery]
description: >-
  Requests of a service account come from curl, wget or an attack tool: its token is used in a shell, usually in a
  compromised pod. One row per account, address and tool.
blind_spots: The user agent, which the client chooses. kubectl, which is left out because pipelines use it.
false_positives:
  - Shell scripts in CronJobs and init containers
triage:
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1550/001/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [WL-073, CA-004, IA-010]
controls: [IAM-16]
*/
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  username || ' is used with ' || tool || ' from ' || coalesce(client_ip, '?') || ': ' || count(*) || ' requests' AS reason
FROM client_requests
WHERE identity_kind = 'service_account' AND tool_kind IN ('shell', 'attack tool')
  AND outcome NOT IN ('unknown', 'denied_authn') AND resource IS NOT NULL
GROUP BY cluster, username, client_ip, tool
