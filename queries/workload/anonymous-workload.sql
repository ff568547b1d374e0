/*
id: anonymous-workload
title: Unauthenticated workload write
severity: critical
confidence: high
risk: 90
attack: [T1610, T1078.001, T1190]
tactics: [Initial Access, Execution]
description: >-
  An unauthenticated client writes a workload. Anybody who reaches the API server can run code in the cluster.
blind_spots: Pods created through the kubelet's own port.
false_positives:
  - None known
triage:
  - >-
    SELECT time, verb, object, namespace, outcome, client_ip FROM workloads WHERE identity_kind = 'anonymous' ORDER BY time
  - >-
    SELECT time, username, name, role_name FROM bindings WHERE subject_name IN ('system:anonymous', 'system:unauthenticated') ORDER BY time
  - >-
    SELECT username, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY username
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
  - https://attack.mitre.org/techniques/T1610/
covers: [WL-070]
controls: [AIS-06]
*/
SELECT event_id, 'an unauthenticated client writes ' || object || coalesce(' in ' || namespace, '') AS reason
FROM workloads
WHERE identity_kind = 'anonymous' AND outcome IN ('allowed', 'dry_run')
