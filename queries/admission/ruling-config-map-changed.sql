/*
id: ruling-config-map-changed
title: ConfigMap that controls a privileged program changed
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1546, T1098, T1610]
tactics: [Persistence, Privilege Escalation, Execution]
description: >-
  A ConfigMap that controls a program with rights over nodes or the cluster is changed: a script that runs as root for
  each volume, who may log in to Argo CD and what they may do there, code for an ingress controller that reads secrets,
  containers for every pod, or network plugins. The table ruling_config_maps lists the keys that count. Its creation is
  low, because the product is being installed, unless the log shows an earlier deletion.
blind_spots: Products and keys that are not in the table ruling_config_maps.
false_positives:
  - Administrators of the product; settings that an account writes again unchanged are low
triage:
  - >-
    SELECT time, username, verb, keys, outcome FROM config_maps WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
references:
  - https://github.com/rancher/local-path-provisioner
  - https://argo-cd.readthedocs.io/en/stable/operator-manual/rbac/
covers: [DE-007]
*/
WITH maps AS (
  SELECT event_id, time, cluster, username, identity_kind, verb, created, namespace, name, request_object, config_map['keys'] AS keys, in_scope
  FROM all_events
  WHERE activity IN ('write', 'workload') AND resource = 'configmaps' AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch', 'delete')
),
written AS (
  SELECT
    event_id, time, cluster, username, identity_kind, verb, created, namespace, name, key, in_scope, was_deleted,
    coalesce(json_get_str(json_get_json(request_object, 'data'), key), CASE WHEN starts_with(ltrim(request_object), '[') THEN request_object END) AS value
  FROM (
    SELECT
      *, unnest(keys) AS key,
      coalesce(bool_or(verb = 'delete') OVER (
        PARTITION BY cluster, namespace, name ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS was_deleted
    FROM maps
  )
  WHERE verb <> 'delete'
),
ruling AS (
  SELECT
    written.*, product, does,
    lag(written.value) OVER (PARTITION BY cluster, namespace, written.name, written.key, does ORDER BY time, event_id) AS before
  FROM written
  JOIN ruling_config_maps AS listed
    ON regexp_like(written.name, concat('^(', listed.name, ')$'), 'i') AND regexp_like(written.key, concat('^(', listed.key, ')$'), 'i')
    AND (listed.value IS NULL OR regexp_like(written.value, listed.value, 'i'))
)
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' writes ' || string_agg(DISTINCT key, ', ') || ' of ConfigMap ' || min(namespace) || '/' || min(name)
    || ' of ' || min(product) || ', which ' || min(does) AS reason,
  -- An apply patch that creates the object is answered with 201.
  CASE WHEN created AND NOT bool_or(was_deleted) THEN 'low' ELSE 'medium' END AS severity
FROM ruling
WHERE in_scope AND identity_kind <> 'controller' AND (before IS DISTINCT FROM value)
GROUP BY event_id, username, verb, created
