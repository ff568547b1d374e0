/*
id: policy-parameters-changed
title: Admission policy parameters changed
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  An identity that wrote neither the binding nor the object before changes or deletes an object that the binding of an
  admission policy uses as its parameter. Policy and binding stay the same, but allow something else. To avoid
  detection, an attacker must act as the identity that maintains both.
blind_spots: Bindings written before the log begins, and those that select their parameters by labels.
false_positives:
  - A second administrator of the policy
triage:
  - >-
    SELECT time, username, verb, resource, namespace, name, request_object FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, resource, name, request_object FROM events WHERE resource LIKE '%admissionpolic%' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#parameter-resources
covers: [DE-004]
*/
WITH bound AS (
  SELECT
    cluster, name AS binding, effective_username AS keeper, time AS bound_at,
    json_get_str(request_object, 'spec', 'paramRef', 'name') AS parameter, json_get_str(request_object, 'spec', 'paramRef', 'namespace') AS parameter_namespace,
    json_get_str(request_object, 'spec', 'policyName') AS policy
  FROM all_events
  WHERE api_group = 'admissionregistration.k8s.io' AND resource IN ('validatingadmissionpolicybindings', 'mutatingadmissionpolicybindings')
    AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND json_get_str(request_object, 'spec', 'paramRef', 'name') IS NOT NULL
),
kinds AS (
  SELECT
    cluster, name AS policy, lower(json_get_str(request_object, 'spec', 'paramKind', 'kind')) AS kind
  FROM all_events
  WHERE api_group = 'admissionregistration.k8s.io' AND resource IN ('validatingadmissionpolicies', 'mutatingadmissionpolicies')
    AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND json_get_str(request_object, 'spec', 'paramKind', 'kind') IS NOT NULL
),
parameters AS (
  SELECT DISTINCT bound.cluster, binding, keeper, bound_at, parameter, parameter_namespace, bound.policy, kind
  FROM bound
  LEFT JOIN kinds ON kinds.cluster = bound.cluster AND kinds.policy = bound.policy
),
written AS (
  SELECT
    event_id, time, cluster, effective_username, verb, created, resource, namespace, name,
    row_number() OVER (PARTITION BY cluster, resource, namespace, name, effective_username ORDER BY time, event_id) AS nth_of_identity
  FROM events
  WHERE activity IN ('write', 'workload') AND outcome = 'allowed' AND subresource IS NULL AND verb IN ('create', 'update', 'patch', 'delete')
    AND identity_kind <> 'controller'
    AND (resource = 'configmaps' OR api_group LIKE '%.%')
)
SELECT DISTINCT
  event_id,
  verb || ' of ' || resource || ' ' || coalesce(namespace || '/', '') || name || ', the parameter of ' || binding || coalesce(' of policy ' || parameters.policy, '')
    || ', by ' || coalesce(effective_username, 'an unknown identity') AS reason
FROM written
JOIN parameters
  ON parameters.cluster = written.cluster AND parameter = written.name AND (parameter_namespace IS NULL OR parameter_namespace = namespace)
  AND (kind IS NULL OR starts_with(resource, kind) OR starts_with(resource, substr(kind, 1, length(kind) - 1)))
WHERE NOT created AND time > bound_at AND (keeper IS DISTINCT FROM effective_username)
