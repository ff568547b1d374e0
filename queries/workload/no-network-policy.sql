/*
id: no-network-policy
title: Workload in a namespace without NetworkPolicies
severity: info
confidence: low
risk: 0
attack: [T1610]
tactics: [Execution]
description: >-
  The first workload of a namespace is written, and the log has never shown a NetworkPolicy for it. Its pods can reach,
  and be reached by, all others.
blind_spots: Policies older than the log, and cluster-wide policies.
false_positives:
  - Most clusters
triage:
  - >-
    SELECT time, username, verb, name, policy_types, selects_all, allows_all FROM network_policies WHERE namespace = '<namespace>' ORDER BY time
  - >-
    SELECT time, username, verb, object, outcome FROM workloads WHERE namespace = '<namespace>' ORDER BY time
  - >-
    SELECT time, username, name, type, external_ips FROM services WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
  - https://kubernetes.io/docs/concepts/services-networking/network-policies/
covers: [T1610-no-network-policy]
controls: [IPY-03]
*/
WITH writes AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, namespace ORDER BY time, event_id) AS nth
  FROM all_workloads
  WHERE outcome = 'allowed' AND NOT made_by_controller AND created AND subresource IS NULL
),
guarded AS (
  SELECT DISTINCT cluster, namespace
  FROM (SELECT * FROM network_policies UNION ALL SELECT * FROM network_policies_history)
  WHERE outcome = 'allowed' AND verb IN ('create', 'update', 'patch')
)
SELECT event_id, object || ' is the first workload of ' || writes.namespace || ', which has no NetworkPolicy in the log' AS reason
FROM writes
LEFT JOIN guarded ON guarded.cluster = writes.cluster AND guarded.namespace = writes.namespace
LEFT JOIN system_namespaces ON writes.namespace LIKE system_namespaces.namespace
WHERE nth = 1 AND in_scope AND guarded.namespace IS NULL AND system_namespaces.namespace IS NULL
