/*
id: foreign-account-takes-cluster
title: Foreign account runs a cluster-admin workload in a system namespace
severity: high
confidence: medium
risk: 60
attack: [T1610, T1078, T1098.006]
tactics: [Execution, Persistence, Privilege Escalation]
description: >-
  A service account from outside the platform namespaces creates, in a platform namespace, a workload that runs as a
  cluster administrator's account, with a credential used in an unusual place. The credential comes from a public
  address, or from a new address and program, or the account is new to the log and its token is not bound to a pod.
  Deployers that work from their usual place are reported at low by other detections. An attacker avoids this only by
  using the credential from a known address or with the known program.
blind_spots: >-
  Writes logged at Metadata level. Roles bound before the log begins. Attackers in the deployer's own network.
false_positives:
  - A pipeline that installs an operator for the first time, from a runner outside the cluster
triage:
  - >-
    SELECT binding, role_kind, role_name, namespace, granted_by, granted_at FROM grants WHERE subject_kind = 'ServiceAccount' AND subject_name = '<account>'
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://attack.mitre.org/techniques/T1078/
covers: [WL-045, IA-008]
controls: [AIS-06, IAM-16]
parameters:
  known_after:
    type: integer
    default: 10
    description: Number of requests that make an address or program known
*/
WITH risky AS (
  SELECT
    powerful.event_id, powerful.reason, written.cluster, written.username, written.client_ip, written.time, written.object, written.namespace,
    lower(user_agent_tool(written.user_agent)) AS agent
  FROM workloads_of_powerful_accounts AS powerful
  JOIN authored_workloads AS written ON written.event_id = powerful.event_id
  JOIN system_namespaces AS system ON written.namespace LIKE system.namespace
  LEFT JOIN system_namespaces AS own ON split_part(written.username, ':', 3) LIKE own.namespace
  WHERE powerful.identity_kind = 'service_account' AND own.namespace IS NULL
),
before AS (
  SELECT
    risky.event_id,
    count(*) AS requests,
    count(*) FILTER (WHERE event.client_ip = risky.client_ip) AS of_address,
    count(*) FILTER (WHERE event.agent = risky.agent) AS of_agent
  FROM risky
  JOIN (
    SELECT cluster, username, client_ip, time, lower(user_agent_tool(user_agent)) AS agent
    FROM all_events WHERE identity_kind = 'service_account' AND (outcome IS DISTINCT FROM 'denied_authn')
  ) AS event ON event.cluster = risky.cluster AND event.username = risky.username AND event.time < risky.time
  GROUP BY risky.event_id
),
bound AS (
  SELECT events.event_id FROM events JOIN risky ON risky.event_id = events.event_id WHERE token_pod_name IS NOT NULL
)
SELECT DISTINCT
  risky.event_id,
  risky.username || ' from ' || coalesce(risky.client_ip, '?')
    || CASE
      WHEN coalesce(before.requests, 0) < $known_after THEN ', new to this log'
      WHEN before.of_address < $known_after THEN ', where it does not usually work'
      ELSE '' END
    || ', creates ' || risky.object || ' in ' || risky.namespace || ': ' || risky.reason AS reason
FROM risky
LEFT JOIN before ON before.event_id = risky.event_id
LEFT JOIN bound ON bound.event_id = risky.event_id
WHERE (coalesce(before.of_address, 0) < $known_after
    AND (NOT coalesce(is_private_ip(risky.client_ip), true) OR (coalesce(before.requests, 0) >= $known_after AND before.of_agent < $known_after)))
  OR (coalesce(before.requests, 0) < $known_after AND bound.event_id IS NULL)
