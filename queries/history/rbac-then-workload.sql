/*
id: rbac-then-workload
title: RBAC change followed by a workload of the same person
severity: low
confidence: low
risk: 12
attack: [T1098.006, T1610]
tactics: [Privilege Escalation, Execution]
description: >-
  A person changes a role or binding and writes a workload within minutes: an attacker first grants rights and then uses
  them.
blind_spots: >-
  Workloads that another identity writes with the new rights.
false_positives:
  - Installation of an application together with its roles
triage:
  - >-
    SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by FROM grants WHERE granted_by = '<identity>' ORDER BY granted_at
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1098/006/
covers: [WS-012]
controls: [IAM-16, AIS-06]
parameters:
  within_seconds:
    type: integer
    default: 300
    description: Maximum time until the workload
*/
WITH followed AS (
  SELECT
    *,
    last_value(CASE WHEN step = 'rbac changed' THEN event_id END) IGNORE NULLS OVER earlier AS first_event,
    last_value(CASE WHEN step = 'rbac changed' THEN time END) IGNORE NULLS OVER earlier AS first_time,
    last_value(CASE WHEN step = 'rbac changed' THEN what END) IGNORE NULLS OVER earlier AS first_what
  FROM history_steps
  WHERE identity_kind = 'human'
  WINDOW earlier AS (PARTITION BY cluster, identity ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, identity, first_event ORDER BY time, event_id) AS nth
  FROM followed
  WHERE step IN ('created', 'written') AND date_part('epoch', time) - date_part('epoch', first_time) <= $within_seconds
)
SELECT
  make_array(first_event, event_id) AS event_id,
  identity || ' writes ' || what || ' ' || CAST(round(date_part('epoch', time) - date_part('epoch', first_time)) AS BIGINT) || ' s after changing ' || first_what AS reason
FROM numbered
WHERE nth = 1
