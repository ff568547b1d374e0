/*
id: mutation-weakens-pods
title: Mutation policy that weakens pod security
severity: high
routine: medium
confidence: high
risk: 60
attack: [T1546, T1610, T1611]
tactics: [Persistence, Execution, Privilege Escalation]
description: >-
  A mutation policy (MutatingAdmissionPolicy, Kyverno, Gatekeeper, SidecarSet) is written that gives pods host
  namespaces, privileges or capabilities, hostPath volumes, or another container or image. Everyone who creates a
  matching pod afterwards creates a weakened one in their own name.
blind_spots: Changes that an expression assembles from parts.
false_positives:
  - Sidecar injection by policy, which is medium
triage:
  - SELECT time, username, verb, api_group, resource, name, embedded FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add FROM containers WHERE event_id = '<event_id>'
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
covers: [DE-003]
*/
WITH changed AS (
  SELECT
    event_id, coalesce(username, 'an unknown identity') AS username, object,
    coalesce(host_pid, false) OR coalesce(host_ipc, false) OR coalesce(host_network, false) AS shares,
    containers, volumes
  FROM workloads
  WHERE outcome = 'allowed' AND embedded_at IS NOT NULL AND verb IN ('create', 'update', 'patch') AND subresource IS NULL
    AND ((api_group = 'admissionregistration.k8s.io' AND resource = 'mutatingadmissionpolicies')
      OR api_group = 'mutations.gatekeeper.sh'
      OR (api_group = 'apps.kruise.io' AND resource IN ('sidecarsets', 'workloadspreads'))
      OR (api_group = 'policies.kyverno.io' AND resource LIKE '%mutatingpolicies')
      OR (api_group = 'kyverno.io' AND array_to_string(embedded_at, ' ') LIKE '%/mutate%'))
),
asked AS (
  SELECT
    event_id,
    bool_or(coalesce(container['privileged'], false) OR coalesce(container['host_process'], false)
      OR coalesce(cardinality(container['capabilities_add']), 0) > 0) AS privileged,
    bool_or(container['image'] IS NOT NULL) AS image
  FROM (SELECT event_id, unnest(containers) AS container FROM changed)
  GROUP BY event_id
),
mounted AS (
  SELECT event_id, bool_or(volume['host_path'] IS NOT NULL) AS host_path
  FROM (SELECT event_id, unnest(volumes) AS volume FROM changed)
  GROUP BY event_id
)
SELECT
  changed.event_id,
  username || ' writes ' || object || ', which gives pods ' || concat_ws(' and ',
    CASE WHEN shares THEN 'host namespaces' END,
    CASE WHEN privileged THEN 'privileges' END,
    CASE WHEN host_path THEN 'hostPath volumes' END,
    CASE WHEN image THEN 'an image' END) AS reason,
  CASE WHEN shares OR coalesce(privileged, false) OR coalesce(host_path, false) THEN 'high' ELSE 'medium' END AS severity
FROM changed
LEFT JOIN asked ON asked.event_id = changed.event_id
LEFT JOIN mounted ON mounted.event_id = changed.event_id
WHERE shares OR privileged OR host_path OR image
