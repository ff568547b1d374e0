/*
id: pod-security-relaxed
title: Pod Security level of a namespace lowered
severity: medium
routine: low
confidence: medium
risk: 40
attack: [T1685, T1610]
tactics: [Defense Impairment]
description: >-
  The label that enforces Pod Security in a namespace is set to a lower level or removed. Pods denied there before are
  allowed now.
blind_spots: Labels of namespaces that never had any.
false_positives:
  - Administrators who prepare a namespace for node agents
triage:
  - SELECT time, username, verb, name, enforce, labels FROM namespaces WHERE name = '<name>' ORDER BY time
  - SELECT time, username, object, pod_security_failed FROM workloads WHERE namespace = '<name>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-admission/
covers: [DE-005]
*/
WITH writes AS (
  SELECT *, true AS in_scope FROM namespaces WHERE outcome = 'allowed'
  UNION ALL
  SELECT *, false AS in_scope FROM namespaces_history WHERE outcome = 'allowed'
),
states AS (
  SELECT
    *,
    CASE
      WHEN enforce IS NOT NULL THEN enforce
      -- A patch that sets the label to null, or the whole object: the API server gives every namespace the other label.
      WHEN array_has_any(map_keys(labels), make_array('pod-security.kubernetes.io/enforce', 'kubernetes.io/metadata.name')) THEN 'nothing'
    END AS state
  FROM writes
),
versions AS (
  SELECT *, lag(state) IGNORE NULLS OVER (PARTITION BY cluster, name ORDER BY time, event_id) AS before FROM states
)
SELECT
  event_id,
  'namespace ' || name || CASE state WHEN 'nothing' THEN ' no longer enforces Pod Security' ELSE ' enforces ' || state END
    || coalesce(' instead of ' || before, '') AS reason
FROM versions
WHERE in_scope AND verb IN ('update', 'patch') AND identity_kind NOT IN ('controller', 'system')
  AND (
    (state = 'privileged' AND before IS DISTINCT FROM 'privileged')
    OR (state = 'baseline' AND before = 'restricted')
    OR (state = 'nothing' AND before IN ('restricted', 'baseline'))
    OR (state = 'nothing' AND before IS NULL AND array_has(map_keys(labels), 'pod-security.kubernetes.io/enforce'))
  )
UNION
-- A label that an apply leaves out, known from the previous version.
SELECT event_id, act || ': ' || what AS reason
FROM guard_writes
WHERE in_scope AND kind = 'namespace' AND identity_kind NOT IN ('controller', 'system') AND NOT created
  AND starts_with(field, 'pod-security.kubernetes.io/enforce') AND NOT contains(field, 'version')
  AND before IN ('restricted', 'baseline') AND (after IS NULL OR after = '' OR after = 'privileged' OR (after = 'baseline' AND before = 'restricted'))
