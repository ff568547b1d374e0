/*
id: mutating-webhook-by-account
title: Mutating webhook written by a service account
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1546, T1557]
tactics: [Persistence, Credential Access]
description: >-
  A service account or node creates a mutating admission webhook, or changes one to call another service, or to receive
  resources or namespaces that no earlier version in the log received. Its service can then add a container to every pod
  that it receives. Severity is low where a patch sets only certificates, labels or annotations, or where the
  configuration called the same service for the same resources before.
blind_spots: >-
  Writes logged at Metadata level, which show no rules: each counts.
false_positives:
  - Installation of a product with a webhook by a GitOps tool or operator
triage:
  - >-
    SELECT time, username, verb, name, webhook, url, service_namespace, service_name, resources, failure_policy FROM webhooks ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
covers: [DE-002]
*/
WITH written AS (
  SELECT
    event_id, time, cluster, identity_kind, username, created, name, webhook, resources, in_scope, sees_bodies,
    coalesce(url, concat(service_namespace, '/', service_name)) AS called,
    concat_ws(' ', url, service_namespace, service_name, array_to_string(operations, ','), array_to_string(resources, ','), namespace_selector) AS target
  FROM (
    SELECT *, level IN ('Request', 'RequestResponse') AS sees_bodies, true AS in_scope FROM webhooks
    UNION ALL
    SELECT *, level IN ('Request', 'RequestResponse') AS sees_bodies, false AS in_scope FROM webhooks_history
  )
  WHERE outcome = 'allowed' AND subresource IS NULL AND resource = 'mutatingwebhookconfigurations' AND verb IN ('create', 'update', 'patch')
),
numbered AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, name, webhook, target ORDER BY time, event_id) AS nth
  FROM written
)
SELECT DISTINCT
  event_id,
  coalesce(username, 'an unknown identity') || ' sets webhook ' || coalesce(webhook, '') || ' of ' || coalesce(name, '') || ' to call '
    || coalesce(called, 'a service that is not in the log') || coalesce(' for ' || array_to_string(array_slice(resources, 1, 5), ', '), '') AS reason
FROM numbered
-- A patch that sets only certificates, although the response shows the rest.
LEFT ANTI JOIN (
  SELECT event_id AS renewal
  FROM events
  WHERE activity = 'write' AND resource = 'mutatingwebhookconfigurations' AND verb = 'patch' AND contains(request_object, 'caBundle')
    AND NOT regexp_like(
      request_object,
      '["/](rules|service|url|operations|resources|namespaceSelector|objectSelector|matchConditions|failurePolicy|sideEffects|reinvocationPolicy)["/]|"(/webhooks(/[0-9-]+)?(/clientConfig)?|)"'
    )
) AS renewed ON renewed.renewal = numbered.event_id
WHERE in_scope AND identity_kind NOT IN ('human', 'anonymous')
  AND (created OR (nth = 1 AND target <> ''))
  -- A patch of certificates shows a webhook without its target.
  AND (called <> '/' OR created)
