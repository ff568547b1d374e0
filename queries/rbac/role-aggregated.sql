/*
id: role-aggregated
title: Powerful rules aggregated into a default role
severity: high
routine: low
confidence: medium
risk: 50
attack: [T1098.006]
tactics: [Privilege Escalation, Persistence]
description: >-
  A ClusterRole is labelled so that its rules become part of view, edit, admin or another aggregated role, and they
  exceed the purpose of that role: secrets or pods for viewers, cluster rights for namespace administrators. No binding
  shows these rights. Where its rules are not in the log, the label alone counts if a person sets it on an existing
  role.
blind_spots: Rules added to a role that is already aggregated, where the log does not show its labels.
false_positives:
  - Charts that add rules beyond their own API group, which deserve a review
triage:
  - >-
    SELECT time, username, verb, name, api_groups, resources, verbs FROM role_rules WHERE name = '<name>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
covers: [RB-014]
controls: [IAM-16]
*/
WITH aggregated AS (
  SELECT
    event_id, verb, identity_kind, name, unnest(rbac['aggregates_to']) AS target, rbac['body_source'] AS body_source,
    coalesce(rbac['effects'], known.known_effects) AS effects, privileged.role IS NOT NULL AS is_strong,
    known.known_role IS NULL AS is_unknown
  FROM events
  LEFT JOIN (
    SELECT cluster AS known_cluster, role AS known_role, array_agg(effect) AS known_effects
    FROM effects_of_roles WHERE role_kind = 'ClusterRole' GROUP BY cluster, role
  ) AS known ON known.known_cluster = events.cluster AND known.known_role = events.name
  LEFT JOIN privileged_roles AS privileged ON privileged.role = events.name
  WHERE activity = 'rbac' AND rbac['kind'] = 'ClusterRole' AND cardinality(rbac['aggregates_to']) > 0
    AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
    AND coalesce(username, '') <> 'system:apiserver'
)
SELECT event_id, 'ClusterRole ' || coalesce(name, '') || ' becomes part of ' || target || coalesce(' and allows ' || array_to_string(effects, ', '), '') AS reason
FROM aggregated
WHERE CASE
  WHEN target = 'view' THEN
    array_has_any(effects, make_array('everything', 'escalate', 'impersonate', 'impersonate accounts', 'tokens', 'certificates', 'admission', 'node proxy', 'nodes', 'volumes', 'secrets', 'exec', 'workloads'))
  ELSE
    -- edit and admin include the rest already.
    array_has_any(effects, make_array('everything', 'escalate', 'impersonate', 'certificates', 'admission', 'node proxy', 'nodes', 'volumes'))
END
  OR is_strong
  OR (effects IS NULL AND is_unknown AND verb = 'patch' AND identity_kind IN ('human', 'anonymous', 'node'))
