/*
id: namespace-exempted
title: Namespace exempted from an admission policy or mesh
severity: medium
routine: low
confidence: medium
risk: 40
attack: [T1685, T1610]
tactics: [Defense Impairment]
description: >-
  A namespace is created or labelled so that a policy engine, Pod Security or an injector ignores it. Requests denied
  elsewhere are allowed there. A namespace that an account creates with only the Pod Security label, or with the name of
  a platform namespace, is not reported: an attacker would need the name of a component whose namespace does not exist
  yet, and other detections report workloads that people write there.
blind_spots: Labels used by policies specific to the cluster.
false_positives:
  - Administrators who prepare a namespace for a policy engine or for node agents
triage:
  - SELECT time, username, verb, name, enforce, labels FROM namespaces WHERE name = '<name>' ORDER BY time
  - SELECT time, username, object, pod_security_failed FROM workloads WHERE namespace = '<name>' ORDER BY time
references:
  - https://open-policy-agent.github.io/gatekeeper/website/docs/exempt-namespaces/
  - https://kubernetes.io/docs/concepts/security/pod-security-admission/
covers: [DE-005]
*/
SELECT event_id, act || ': ' || string_agg(DISTINCT what, '; ') AS reason
FROM (
  SELECT event_id, act, concat('label ', field, CASE WHEN after IS NULL THEN ' removed' ELSE '=' || after END, ' exempts the namespace from ', exemption.product) AS what
  FROM guard_writes
  JOIN namespace_exemptions AS exemption ON field LIKE exemption.key
  WHERE in_scope AND resource = 'namespaces' AND change = 'label' AND identity_kind <> 'controller'
    AND CASE exemption.by
      -- A value that a JSON Patch copies or moves may be anything.
      WHEN 'set' THEN after LIKE exemption.value OR starts_with(after, '(copied from ') OR starts_with(after, '(moved from ')
      ELSE after IS NULL AND NOT created
    END
  UNION ALL
  SELECT event_id, act, concat('created with Pod Security level ', after, ' enforced') AS what
  FROM guard_writes
  LEFT JOIN system_namespaces AS platform ON guard_writes.name LIKE platform.namespace
  WHERE in_scope AND resource = 'namespaces' AND change = 'label' AND created
    AND field = 'pod-security.kubernetes.io/enforce' AND after = 'privileged'
    AND identity_kind IN ('human', 'anonymous', 'node') AND platform.namespace IS NULL
)
GROUP BY event_id, act
