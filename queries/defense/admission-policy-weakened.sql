/*
id: admission-policy-weakened
title: Admission policy deleted or made lenient
severity: medium
routine: low
confidence: medium
risk: 35
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  An admission policy or its binding is deleted or changed, or a webhook is set to let pass what it cannot check.
blind_spots: >-
  Writes that are logged at Metadata level show no rules, subjects or specs.
false_positives:
  - Upgrades of policy engines
triage:
  - "SELECT time, username, verb, name, webhook, url, service_namespace, service_name, resources, failure_policy FROM webhooks ORDER BY time"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
covers: [DE-004]
*/
WITH written AS (
  SELECT
    event_id, username, verb, resource, name,
    resource IN ('validatingadmissionpolicies', 'validatingadmissionpolicybindings', 'mutatingadmissionpolicies', 'mutatingadmissionpolicybindings') AS is_built_in,
    coalesce(request_object, response_object) AS body
  FROM events
  WHERE activity IN ('write', 'workload') AND subresource IS NULL AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous')
    AND (api_group = 'admissionregistration.k8s.io'
      OR api_group IN ('kyverno.io', 'policies.kyverno.io', 'templates.gatekeeper.sh', 'constraints.gatekeeper.sh', 'policies.kubewarden.io'))
    AND resource NOT IN ('mutatingwebhookconfigurations', 'validatingwebhookconfigurations')
)
SELECT event_id, verb || ' of ' || resource || ' ' || coalesce(name, '') || ' by ' || coalesce(username, 'nobody') AS reason
FROM written
WHERE verb IN ('delete', 'deletecollection')
  OR (verb IN ('update', 'patch') AND is_built_in AND (
    body IS NULL
    OR regexp_like(body, '"failurePolicy"\s*:\s*"Ignore"')
    OR regexp_like(body, '"validationActions"\s*:\s*\[("(Warn|Audit)"|[,\s])*\]')
    -- Something is left out, or a part of the policy is taken away.
    OR regexp_like(body, '"excludeResourceRules"\s*:\s*\[\s*\{|"operator"\s*:\s*"(NotIn|DoesNotExist)"|"op"\s*:\s*"remove"')
  ))
  OR (verb IN ('update', 'patch') AND NOT is_built_in AND regexp_like(body,
    '"(validationFailureAction|failureAction)"\s*:\s*"[Aa]udit"|"enforcementAction"\s*:\s*"(dryrun|warn)"|"mode"\s*:\s*"monitor"'))
UNION ALL
SELECT event_id, 'webhook ' || coalesce(webhook, '') || ' of ' || coalesce(name, '') || ' is set to ignore failures' AS reason
FROM webhooks
WHERE failure_policy = 'Ignore' AND verb IN ('update', 'patch') AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous')
