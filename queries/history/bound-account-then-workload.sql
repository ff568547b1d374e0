/*
id: bound-account-then-workload
title: Service account bound to a privileged role, then used by a workload
severity: medium
confidence: high
risk: 40
attack: [T1098.006, T1610]
tactics: [Privilege Escalation, Execution]
description: >-
  A person binds a service account to a role with full control of the cluster, and soon after writes a workload that
  runs as this account. The pod then controls the cluster.
blind_spots: Roles of other names with the same rights. Logs without bodies.
false_positives:
  - Manual installation of an operator that requires all rights
triage:
  - >-
    SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by FROM grants WHERE granted_by = '<identity>' ORDER BY granted_at
  - >-
    SELECT time, username, object, namespace FROM workloads WHERE service_account_name = '<name of the account>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1098/006/
covers: [WS-012]
controls: [IAM-16, AIS-06]
parameters:
  within_seconds:
    type: integer
    default: 3600
    description: How soon the workload must follow
*/
WITH bound AS (
  SELECT
    event_id AS bound_event, time AS bound_time, cluster, coalesce(impersonated_username, username) AS identity,
    subject_namespace AS account_namespace, subject_name AS account, role_name
  FROM bindings
  JOIN privileged_roles ON role_name = privileged_roles.role AND privileged_roles.reach IN ('cluster', 'escalation')
  WHERE subject_kind = 'ServiceAccount' AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch')
    AND bindings.kind = 'ClusterRoleBinding'
    AND identity_kind IN ('human', 'anonymous')
),
used AS (
  SELECT
    writes.event_id, bound_event, writes.identity, object, writes.namespace, account, role_name,
    row_number() OVER (PARTITION BY writes.cluster, writes.identity, bound_event, account ORDER BY time, event_id) AS nth
  FROM history_writes AS writes
  JOIN bound
    ON writes.cluster = bound.cluster AND writes.identity = bound.identity
      AND writes.namespace = account_namespace AND writes.service_account_name = account
  WHERE in_scope AND time >= bound_time AND date_diff('second', bound_time, time) <= $within_seconds
)
SELECT
  make_array(bound_event, event_id) AS event_id,
  identity || ' binds service account ' || account || ' to ' || role_name || ', then writes ' || object || ' in '
    || namespace || ', which runs as this account' AS reason
FROM used
WHERE nth = 1
