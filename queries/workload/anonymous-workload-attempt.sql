/*
id: anonymous-workload-attempt
title: Denied unauthenticated workload write
severity: low
confidence: medium
risk: 15
attack: [T1610, T1190]
tactics: [Initial Access, Execution]
description: An unauthenticated client, or one with an invalid credential, tries to write a workload and is denied.
blind_spots: Attempts on an endpoint that does not log.
false_positives:
  - Clients with an expired credential, other than controllers, which are left out
triage:
  - >-
    SELECT time, verb, request_uri, outcome FROM events WHERE client_ip = '<address>' ORDER BY time
  - >-
    SELECT username, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY username
  - >-
    SELECT time, verb, object, namespace, outcome FROM workloads WHERE client_ip = '<address>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
covers: [WL-070]
controls: [IAM-16]
*/
SELECT
  event_id,
  coalesce(client_ip, '?') || ' tries to write ' || object || coalesce(' in ' || namespace, '') || ' without a credential'
    AS reason
FROM workloads
WHERE (identity_kind = 'anonymous' OR username IS NULL) AND outcome IN ('denied_authz', 'denied_authn', 'denied_admission', 'invalid')
  -- The control plane's own clients wait for their rights at start-up.
  AND user_agent NOT LIKE 'kube-controller-manager/%' AND user_agent NOT LIKE 'kube-scheduler/%'
