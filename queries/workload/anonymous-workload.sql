/*
id: anonymous-workload
title: Unauthenticated workload write
aliases: [anonymous-workload-attempt]
severity: critical
confidence: high
risk: 90
attack: [T1610, T1078.001, T1190]
tactics: [Initial Access, Execution]
description: >-
  An unauthenticated client writes a workload: anyone who can reach the API server can run code in the cluster. Severity
  is low where the write is denied, also because the credential is invalid.
blind_spots: Pods created through the kubelet's own port. Attempts on an endpoint that does not log.
false_positives:
  - Denied writes of clients with an expired credential, other than controllers, which are left out
triage:
  - SELECT time, username, name, role_name FROM bindings WHERE subject_name IN ('system:anonymous', 'system:unauthenticated') ORDER BY time
  - >-
    SELECT time, verb, object, namespace, outcome FROM workloads WHERE client_ip = '<address>' ORDER BY time
  - >-
    SELECT username, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY username
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
  - https://attack.mitre.org/techniques/T1610/
covers: [WL-070]
controls: [AIS-06, IAM-16]
*/
SELECT
  event_id,
  CASE WHEN outcome IN ('allowed', 'dry_run') THEN 'critical' ELSE 'low' END AS severity,
  CASE
    WHEN outcome IN ('allowed', 'dry_run') THEN 'an unauthenticated client writes '
    ELSE coalesce(client_ip, '?') || ' is denied, without a credential, to write '
  END || object || coalesce(' in ' || namespace, '') AS reason
FROM workloads
WHERE (identity_kind = 'anonymous' AND outcome IN ('allowed', 'dry_run'))
  OR ((identity_kind = 'anonymous' OR username IS NULL) AND outcome IN ('denied_authz', 'denied_authn', 'denied_admission', 'invalid')
    -- The control plane's own clients wait for their rights at start-up.
    AND user_agent NOT LIKE 'kube-controller-manager/%' AND user_agent NOT LIKE 'kube-scheduler/%')
