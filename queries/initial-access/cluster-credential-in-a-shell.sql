/*
id: cluster-credential-in-a-shell
aliases: [service-account-in-a-shell, node-credential-in-a-shell]
title: Credential of a service account or node used from a shell
severity: medium
confidence: medium
risk: 60
attack: [T1528, T1550.001, T1609, T1078, T1552.004]
tactics: [Credential Access, Execution, Discovery, Privilege Escalation]
description: >-
  Requests with the credential of a node come from kubectl, curl or a plain HTTP library instead of a kubelet (high): an
  attacker has read the kubelet's key on the node. Requests of a service account come from curl, wget or an attack tool
  (medium): its token is used in a shell, usually in a compromised pod. One row per identity, address and tool.
blind_spots: >-
  The user agent, which the client chooses. kubectl with a service account, which is left out because pipelines use it.
false_positives:
  - Shell scripts in CronJobs and init containers
  - Administrators who debug with the kubelet's kubeconfig on the node
triage:
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1550/001/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://kubernetes.io/docs/reference/access-authn-authz/node/
  - https://attack.mitre.org/techniques/T1078/
covers: [WL-073, CA-004, IA-010, IA-004, CA-006]
controls: [IAM-16]
*/
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  CASE identity_kind WHEN 'node' THEN 'high' ELSE 'medium' END AS severity,
  username || ' is used with ' || tool || ' from ' || coalesce(client_ip, '?') || ': ' || count(*) || ' requests, such as '
    || min(verb || ' ' || concat_ws('/', resource, subresource)) AS reason
FROM client_requests
WHERE resource IS NOT NULL AND outcome NOT IN ('unknown', 'denied_authn')
  AND (identity_kind = 'service_account' AND tool_kind IN ('shell', 'attack tool') OR identity_kind = 'node' AND tool_kind <> 'other')
GROUP BY cluster, username, identity_kind, client_ip, tool
