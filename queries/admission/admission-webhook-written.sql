/*
id: admission-webhook-written
aliases: [admission-webhook-intercepts, admission-webhook-by-person]
title: Admission webhook by a person, for all requests, or to an external URL
severity: medium
routine: low
confidence: medium
risk: 40
attack: [T1546, T1557, T1685]
tactics: [Persistence, Credential Access, Defense Impairment]
description: >-
  A person creates or deletes an admission webhook configuration by hand, outside the automation that owns such objects.
  Or a webhook is written that receives every resource or secrets, or that calls a URL instead of a cluster service: it
  can read or alter everything that is written.
false_positives:
  - Policy engines, which inspect everything
  - Administrators who install or remove a policy engine
triage:
  - >-
    SELECT time, username, verb, name, webhook, url, service_namespace, service_name, resources, failure_policy FROM webhooks ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
covers: [DE-003, DE-002]
*/
SELECT DISTINCT
  event_id,
  concat(
    verb, ' of ', resource, ' ', name, ' by ', coalesce(username, 'an unknown identity'),
    CASE WHEN calls_outside OR asks THEN concat(', webhook ', webhook, ' ', concat_ws(' and ',
      CASE WHEN url IS NOT NULL THEN 'calls ' || url END,
      CASE WHEN asks THEN 'receives ' || array_to_string(resources, ', ') END)) END) AS reason
FROM (
  SELECT
    *,
    -- The name of a service may be written as a URL.
    NOT regexp_like(url, '^https://([a-z0-9.-]+\.svc|localhost|127\.0\.0\.1)(\.|[:/]|$)') AS calls_outside,
    array_has_any(resources, make_array('*/*', '*/*/*', '/*', '/*/*', '*/secrets', '/secrets')) AS asks
  FROM webhooks
)
WHERE outcome = 'allowed'
  AND (identity_kind IN ('human', 'anonymous') AND (created OR verb IN ('delete', 'deletecollection'))
    OR identity_kind NOT IN ('controller', 'system') AND verb IN ('create', 'update', 'patch') AND (calls_outside OR asks))
