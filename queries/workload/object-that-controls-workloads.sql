/*
id: object-that-controls-workloads
title: Object that controls nodes or workloads written by a new identity
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1610, T1546]
tactics: [Execution, Persistence]
description: >-
  An identity writes an object through which a controller creates, changes or downloads workloads, or changes nodes: a
  GitOps application, a chart, a policy that generates or mutates objects, a virtual machine with a disk of the node,
  files and units of nodes, or access to all devices. The identity has not written that kind before, or names a
  repository, chart or image that none of its earlier objects named. The table controlling_kinds gives the severity of
  each kind, for people and accounts alike. Severity is low where the identity wrote the kind with the same sources and
  powers before, which was reported, or changes an object that had them already.
blind_spots: >-
  Kinds that are not in the table, unless they contain a pod spec. The content of a known repository. Writes logged at
  Metadata level, which show no sources.
false_positives:
  - The first application of a team, and installations of operators
triage:
  - >-
    SELECT time, username, verb, api_group, resource, namespace, name, embedded FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, kind, namespace, name FROM workloads WHERE identity_kind = 'service_account' AND time > '<time>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
  - https://kubernetes.io/docs/concepts/extend-kubernetes/operator/
covers: [WL-065]
controls: [AIS-06]
*/
SELECT
  event_id,
  coalesce(identity, 'an unknown identity') || ' writes ' || resource || ' ' || coalesce(name, '') || ' of ' || product || ', which ' || does
    || coalesce(', with ' || array_to_string(powers, ', '), '')
    || CASE WHEN cardinality(sources) > 0 AND fetches THEN ', from ' || array_to_string(array_slice(sources, 1, 5), ', ') ELSE '' END AS reason,
  CASE
    WHEN written_before THEN 'low'
    WHEN array_has_any(powers, make_array('host disk', 'node file', 'node unit', 'user data', 'privileged pods for everybody')) THEN 'high'
    WHEN cardinality(powers) > 0 AND severity = 'low' THEN 'medium'
    ELSE severity
  END AS severity
FROM controlling_writes
WHERE in_scope AND (severity <> 'low' OR cardinality(powers) > 0)
  -- The DaemonSet controller stores revisions, and the API server registers its own API groups and those of custom
  -- resources.
  AND NOT (identity_kind = 'controller' AND resource = 'controllerrevisions')
  AND NOT (identity = 'system:apiserver' AND resource = 'apiservices')
