/*
id: admission-webhook-intercepts
title: Admission webhook that intercepts all requests or calls an external URL
severity: medium
routine: low
confidence: medium
risk: 40
attack: [T1546, T1557]
tactics: [Persistence, Credential Access]
description: >-
  A webhook is written that receives every resource or secrets, or that calls a URL instead of a cluster service. It can
  read or alter everything that is written.
blind_spots: Writes logged at Metadata level, which show no rules, subjects or specs.
false_positives:
  - Policy engines, which inspect everything
triage:
  - "SELECT time, username, verb, name, webhook, url, service_namespace, service_name, resources, failure_policy FROM webhooks ORDER BY time"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
covers: [DE-003]
*/
SELECT
  event_id,
  concat('webhook ', webhook, ' of ', name, ' ', concat_ws(' and ',
    CASE WHEN url IS NOT NULL THEN 'calls ' || url END,
    CASE WHEN asks THEN 'receives ' || array_to_string(resources, ', ') END)) AS reason
FROM (
  SELECT
    *,
    -- The name of a service may be written as a URL.
    NOT regexp_like(url, '^https://([a-z0-9.-]+\.svc|localhost|127\.0\.0\.1)(\.|[:/]|$)') AS calls_outside,
    array_has_any(resources, make_array('*/*', '*/*/*', '/*', '/*/*', '*/secrets', '/secrets')) AS asks
  FROM webhooks
)
WHERE outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind NOT IN ('controller', 'system')
  AND (calls_outside OR asks)
