/*
id: write-without-its-body
title: Write with its body truncated or omitted from the log
severity: medium
confidence: medium
risk: 35
attack: [T1610, T1685.002]
tactics: [Defense Impairment, Execution]
description: >-
  The body of a write to a workload, role, binding, admission webhook or policy exceeded the size limit of the audit log
  and was truncated by the API server (annotation audit.k8s.io/truncated) or in transit. The content is unknown. An
  attacker causes this by padding the object, for example with a 100 KiB annotation. The severity is high unless
  truncated bodies are common: at least one in twenty writes of this kind by others in this cluster and the look-back.
blind_spots: >-
  Logs that show no body of any write, and bodies removed without a mark. The content of the truncated body.
false_positives:
  - >-
    Large objects, such as a Deployment with its configuration in annotations, and the objects that controllers create from it
  - Log pipelines that truncate events at a few KiB
triage:
  - >-
    SELECT time, username, verb, resource, namespace, name, outcome, request_uri, annotations, truncated FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, subresource, outcome, truncated FROM events WHERE resource = '<resource>' AND namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT username, truncated, count(*) AS writes FROM events WHERE activity = 'workload' AND verb IN ('create', 'update', 'patch') GROUP BY username, truncated
references:
  - https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#log-backend
  - https://attack.mitre.org/techniques/T1685.002/
covers: [WL-001, DE-002]
controls: [AIS-06]
*/
-- Truncated writes of other identities lower the severity; those of the identity itself do not. An attacker would need
-- other identities with truncated writes, one in twenty of all. The severity is also lower for an object that a
-- controller creates from an object with a reported truncated write, if its name begins with the name of that object,
-- and for a further write of an object by the same identity.
WITH writes AS (
  SELECT *, true AS in_scope FROM cut_writes
  UNION ALL
  SELECT *, false AS in_scope FROM cut_writes_history
),
totals AS (
  SELECT cluster, activity, username, count(*) AS writes, count(*) FILTER (WHERE is_cut) AS cut
  FROM writes
  GROUP BY cluster, activity, username
),
sums AS (
  SELECT *, sum(writes) OVER same_kind - writes AS others, sum(cut) OVER same_kind - cut AS others_cut
  FROM totals
  WINDOW same_kind AS (PARTITION BY cluster, activity)
),
numbered AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY cluster, username, api_group, resource, namespace, name ORDER BY time, event_id) AS nth
  FROM writes
  WHERE is_cut
),
made AS (
  SELECT DISTINCT child.cluster, child.event_id
  FROM numbered AS child
  JOIN numbered AS owner ON owner.cluster = child.cluster AND owner.namespace = child.namespace
  WHERE child.identity_kind = 'controller' AND owner.identity_kind <> 'controller' AND owner.activity = 'workload'
    AND child.activity = 'workload' AND owner.time <= child.time AND starts_with(child.name, owner.name || '-')
)
SELECT
  numbered.event_id,
  coalesce(numbered.username, 'an unknown identity') || ' ' || CASE verb WHEN 'create' THEN 'creates' WHEN 'patch' THEN 'patches' ELSE 'updates' END
    || ' ' || concat_ws('/', resource, subresource) || ' ' || coalesce(name, '*') || coalesce(' in ' || namespace, '')
    || ', but the log does not show the content: the body was truncated. '
    || CASE
      WHEN others = 0 THEN 'No other write of this kind is in the log'
      ELSE 'Of ' || others || ' such writes by others ' || others_cut || ' were truncated'
    END AS reason,
  CASE
    WHEN made.event_id IS NULL AND nth = 1 AND others_cut * 20 <= others
      AND (numbered.activity <> 'write' OR numbered.api_group = 'admissionregistration.k8s.io' OR numbered.resource = 'persistentvolumes') THEN 'high' ELSE 'medium' END AS severity
FROM numbered
JOIN sums
  ON sums.cluster = numbered.cluster AND sums.activity = numbered.activity
  AND (sums.username IS NOT DISTINCT FROM numbered.username)
LEFT JOIN made ON made.cluster = numbered.cluster AND made.event_id = numbered.event_id
WHERE in_scope
