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
  An identity writes an object by which a controller makes, changes or fetches workloads, or changes nodes, and has not
  written that kind before, or names a repository, chart or image that was in none of those before: an application of a
  GitOps tool, a chart, a policy that generates or mutates, a virtual machine with a disk of the node, files and units
  of nodes, access to all devices. The table controlling_kinds says how bad each kind is; persons and accounts are held
  to the same. To be low, an identity must have written the kind with the same sources and powers before, which was
  reported, or change an object that stood so.
blind_spots: >-
  Kinds that are not in the table, unless they hold a pod spec. What a known repository brings. Writes logged at
  Metadata level show no sources.
false_positives:
  - The first application of a team, and installations of operators
triage:
  - >-
    SELECT time, username, verb, api_group, resource, namespace, name, embedded FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, resource, namespace, name, client_ip, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
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
  -- Versions of DaemonSets are kept by their controller, and the API server registers its own groups and those of custom resources.
  AND NOT (identity_kind = 'controller' AND resource = 'controllerrevisions')
  AND NOT (identity = 'system:apiserver' AND resource = 'apiservices')
