/*
id: pod-token-off-its-pod
title: Token of a pod used outside of it
severity: high
confidence: medium
risk: 60
attack: [T1528, T1550.001]
tactics: [Credential Access, Lateral Movement]
description: >-
  A token that is bound to a pod, used from one address so far, comes from another address and with another tool: it
  was taken out of the pod.
blind_spots: >-
  Tokens that the pod itself never used, servers that do not name the pod, and thieves who copy the user agent.
false_positives:
  - Pods on the host network of nodes with several addresses, proxies before the API server
triage:
  - >-
    SELECT client_ip, user_agent, min(time) AS first, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
  - https://attack.mitre.org/techniques/T1550/001/
covers: [IA-010]
controls: [IAM-16]
*/
WITH requests AS (
  SELECT *, true AS in_scope FROM client_requests
  UNION ALL
  SELECT *, false AS in_scope FROM client_requests_history
),
of_pods AS (
  SELECT *, user_extra['authentication.kubernetes.io/pod-uid'][1] AS pod_uid, user_extra['authentication.kubernetes.io/pod-name'][1] AS pod
  FROM requests
  WHERE identity_kind = 'service_account' AND outcome NOT IN ('unknown', 'denied_authn')
),
numbered AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY cluster, pod_uid ORDER BY time, event_id) AS nth,
    row_number() OVER (PARTITION BY cluster, pod_uid, client_ip ORDER BY time, event_id) AS nth_of_address,
    row_number() OVER (PARTITION BY cluster, pod_uid, tool ORDER BY time, event_id) AS nth_of_tool
  FROM of_pods
  WHERE pod_uid IS NOT NULL
)
SELECT
  event_id,
  'the token of pod ' || coalesce(pod, '?') || ' of ' || username || ' comes from ' || coalesce(client_ip, '?') || ' with '
    || coalesce(tool, '?') AS reason
FROM numbered
WHERE in_scope AND nth > 1 AND nth_of_address = 1 AND nth_of_tool = 1
