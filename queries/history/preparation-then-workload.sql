/*
id: preparation-then-workload
aliases: [secrets-then-workload, rbac-then-workload, discovery-then-workload]
title: Workload after listing secrets, a role change or a permission review
severity: medium
confidence: medium
risk: 35
attack: [T1552.007, T1610, T1098.006, T1613]
tactics: [Credential Access, Execution, Privilege Escalation, Discovery]
description: >-
  An identity that did not list the secrets of all namespaces before does so and creates a workload within half an hour
  (medium); operators that list them regularly are part of the baseline. Severity is low for a person who changes a role
  or binding and writes a workload within minutes (an attacker first grants rights, then uses them), and for a person
  who lists their own permissions and then creates a workload (the owner of a credential knows its rights, an attacker
  has to query them).
blind_spots: >-
  Secrets read one at a time or a namespace at a time. Workloads that another identity writes with the new rights.
  Permissions tried instead of queried.
false_positives:
  - Administrators who look for a secret and then deploy
  - Installation of an application together with its roles
  - People who investigate a denied request
triage:
  - >-
    SELECT subject_kind, subject_namespace, subject_name, role_name, granted_at, granted_by FROM grants WHERE granted_by = '<identity>' ORDER BY granted_at
references:
  - https://attack.mitre.org/techniques/T1552/007/
  - https://attack.mitre.org/techniques/T1098/006/
  - https://attack.mitre.org/techniques/T1613/
covers: [WS-018, WS-012, WS-017]
controls: [DSP-15, AIS-06, IAM-16]
parameters:
  within_seconds: {type: integer, default: 1800, description: Maximum time from listing secrets or permissions to the workload}
  lists:
    type: integer
    default: 2
    description: Number of such lists by an identity that establish a baseline
  rbac_within_seconds: {type: integer, default: 300, description: Maximum time from the change of a role or binding to the workload}
*/
WITH steps AS (
  SELECT
    *,
    -- A workload may follow each kind of preparation.
    unnest(CASE step
      WHEN 'created' THEN make_array('rbac changed', 'permissions asked', 'secrets listed')
      WHEN 'written' THEN make_array('rbac changed')
      ELSE make_array(step)
    END) AS preparation
  FROM (
    SELECT *, count(*) FILTER (WHERE step = 'secrets listed' AND namespace IS NULL) OVER (PARTITION BY cluster, identity) AS lists
    FROM history_steps
  )
  WHERE step IN ('created', 'written')
    OR step = 'secrets listed' AND namespace IS NULL AND lists <= $lists
    OR step = 'rbac changed' AND identity_kind = 'human'
    OR step = 'permissions asked' AND resource = 'selfsubjectrulesreviews' AND identity_kind = 'human'
),
followed AS (
  SELECT
    *,
    last_value(CASE WHEN step = preparation THEN event_id END) IGNORE NULLS OVER earlier AS first_event,
    last_value(CASE WHEN step = preparation THEN time END) IGNORE NULLS OVER earlier AS first_time,
    last_value(CASE WHEN step = preparation THEN what END) IGNORE NULLS OVER earlier AS first_what
  FROM steps
  WINDOW earlier AS (PARTITION BY cluster, identity, preparation ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, identity, first_event ORDER BY time, event_id) AS nth
  FROM followed
  WHERE step IN ('created', 'written')
    AND date_diff('second', first_time, time) <= CASE preparation WHEN 'rbac changed' THEN $rbac_within_seconds ELSE $within_seconds END
)
SELECT
  make_array(first_event, event_id) AS event_id,
  CASE preparation WHEN 'secrets listed' THEN 'medium' ELSE 'low' END AS severity,
  identity || ' writes ' || what || ' ' || date_diff('second', first_time, time) || ' s after ' || CASE preparation
    WHEN 'secrets listed' THEN 'listing the secrets of all namespaces'
    WHEN 'permissions asked' THEN 'listing own permissions'
    ELSE 'changing ' || first_what
  END AS reason
FROM numbered
WHERE nth = 1
