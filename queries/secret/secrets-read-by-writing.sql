/*
id: secrets-read-by-writing
title: Secret contents returned by write requests
severity: medium
confidence: medium
risk: 35
attack: [T1552.007, T1036]
tactics: [Credential Access, Stealth]
description: >-
  The API server answers a patch of a secret with the secret and its data, even for a patch without changes or a dry
  run. It answers a deletecollection, even a dry run, with the deleted secrets. An attacker reads secrets this way
  without a get or list in the log. A dry-run deletecollection counts by itself; patches count where there are many in a
  row.
blind_spots: >-
  Patches that add a value to each secret, and a few patches. Where the log shows no bodies of secrets, a burst of
  patches may be genuine, and is low.
false_positives:
  - People who label or annotate many secrets in one burst, or compare many that another identity applied
triage:
  - >-
    SELECT time, verb, namespace, name, outcome, request_object, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
covers: [CA-003, CA-016]
controls: [DSP-15]
parameters:
  secrets:
    type: integer
    default: 8
    description: Number of names that make a burst
  gap_seconds:
    type: integer
    default: 60
    description: Pause that ends the burst
*/
-- Patches that set the value of a key are left out, and so are dry-run patches of secrets that the same identity also
-- writes, as a comparison before an apply does. To use this, an attacker must change every secret to read, which leaves
-- a write in the log.
WITH patches AS (
  SELECT
    cluster, event_id, time, username, impersonated_username, identity_kind, tool_kind, namespace, name, outcome,
    bodies.request_object IS NOT NULL AS is_shown,
    regexp_like(bodies.request_object, '"(data|stringData)"\s*:\s*\{[^}]*:\s*"|"/(data|stringData)[/"]') AS gives_values
  FROM client_requests
  JOIN (SELECT event_id, request_object FROM events WHERE activity = 'secret' AND verb = 'patch') AS bodies USING (event_id)
  WHERE activity = 'secret' AND resource = 'secrets' AND subresource IS NULL AND verb = 'patch' AND name IS NOT NULL
    AND outcome IN ('allowed', 'dry_run') AND name NOT LIKE 'sh.helm.release.%'
    AND (identity_kind IN ('human', 'anonymous') OR identity_kind <> 'controller' AND tool_kind <> 'other')
),
real AS (
  SELECT DISTINCT cluster, username, namespace, name FROM patches WHERE outcome = 'allowed' AND coalesce(gives_values, true)
  UNION
  SELECT cluster, username, namespace, name
  FROM all_events
  WHERE activity = 'secret' AND resource = 'secrets' AND (created OR verb = 'update') AND outcome = 'allowed'
),
reads AS (
  SELECT patches.*
  FROM patches
  LEFT JOIN real
    ON real.cluster = patches.cluster AND real.username = patches.username AND real.namespace = patches.namespace
    AND real.name = patches.name
  WHERE patches.outcome = 'dry_run' AND real.name IS NULL OR patches.outcome = 'allowed' AND NOT coalesce(gives_values, false)
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  CASE
    WHEN count(DISTINCT concat_ws('/', namespace, name)) FILTER (WHERE is_shown OR outcome = 'dry_run') >= $secrets THEN 'medium'
    ELSE 'low'
  END AS severity,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' patches ' || count(DISTINCT concat_ws('/', namespace, name))
    || ' secrets in a row without a visible new value, each answered with the secret, such as '
    || min(concat_ws('/', namespace, name)) || ' and ' || max(concat_ws('/', namespace, name)) AS reason
FROM (
  SELECT *, session_number(time, $gap_seconds) OVER (PARTITION BY cluster, username, impersonated_username ORDER BY time, event_id) AS burst
  FROM reads
)
GROUP BY cluster, username, impersonated_username, burst
HAVING count(DISTINCT concat_ws('/', namespace, name)) >= $secrets
UNION ALL
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  'medium' AS severity,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' deletes the secrets ' || coalesce('of ' || namespace, 'of all namespaces')
    || ' as a dry run, which returns all of them' AS reason
FROM events
WHERE activity = 'secret' AND resource = 'secrets' AND verb = 'deletecollection' AND outcome = 'dry_run' AND identity_kind <> 'controller'
GROUP BY cluster, username, impersonated_username, namespace
