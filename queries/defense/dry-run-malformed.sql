/*
id: dry-run-malformed
title: Malformed dry-run parameter
severity: medium
confidence: high
risk: 40
attack: [T1036, T1685.002]
tactics: [Stealth]
description: >-
  A request has a dryRun parameter that the API server does not recognise, and is executed: a bad escape, a value other
  than All, a misspelling, a semicolon, or a read. Clients do not send this. It deceives readers of the log and tools
  that search for the parameter.
blind_spots: Logs without request URIs, as on GKE.
false_positives:
  - Hand-written requests with a typing error
triage:
  - >-
    SELECT time, username, client_ip, user_agent, verb, request_uri, dry_run, outcome, status_code FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, outcome, request_uri FROM events WHERE username = '<identity>' AND request_uri LIKE '%un=%' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
  - https://attack.mitre.org/techniques/T1036/
covers: [WL-078]
controls: [AIS-06]
*/
WITH asked AS (
  SELECT
    *,
    verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AS writes,
    coalesce(dry_run_fault(request_uri), 'the API server ignores dryRun here') AS fault
  FROM events
  WHERE request_uri LIKE '%?%'
    AND outcome NOT IN ('dry_run', 'denied_authn', 'denied_authz', 'denied_admission', 'invalid')
    AND NOT coalesce(dry_run, false)
    -- A delete may set dryRun in its body, which clients do not do.
    AND (dry_run_fault(request_uri) IS NOT NULL OR query_value(request_uri, 'dryRun') IS NOT NULL)
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  coalesce(username, 'an unknown identity') || ' sends ' || verb || ' ' || coalesce(concat_ws('/', resource, subresource), '')
    || coalesce(' ' || name, '') || coalesce(' in ' || namespace, '') || ' with an ineffective dryRun parameter: ' || fault AS reason
FROM asked
WHERE writes
GROUP BY cluster, username, impersonated_username, verb, resource, subresource, namespace, name, fault
UNION ALL
-- One row per identity: an attacker who hides reads this way hides many.
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  coalesce(username, 'an unknown identity') || ' reads ' || count(*) || ' times with dryRun, which has no effect on reads, such as '
    || min(verb || ' ' || coalesce(resource, request_uri)) AS reason
FROM asked
WHERE NOT writes
GROUP BY cluster, username, impersonated_username
