/*
id: dry-run-malformed
title: Dry run that is none
severity: medium
confidence: high
risk: 40
attack: [T1036, T1685.002]
tactics: [Stealth]
description: >-
  A request asks for a dry run in a form that the API server does not take for one, and is carried out: dryRun with a
  bad escape, with another value than All, misspelled, beside a semicolon, or on a read. Clients do not write it so. It
  deceives who reads the log, and tools that look for the word.
blind_spots: >-
  Logs without request URIs, as on GKE.
false_positives:
  - Hand-made requests with a slip of the pen
triage:
  - SELECT time, username, client_ip, user_agent, verb, request_uri, dry_run, outcome, status_code FROM events WHERE event_id = '<event_id>'
  - SELECT time, verb, resource, namespace, name, outcome, request_uri FROM events WHERE username = '<identity>' AND request_uri LIKE '%un=%' ORDER BY time
  - SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
  - https://attack.mitre.org/techniques/T1036/
covers: [WL-078]
controls: [AIS-06]
*/
SELECT
  event_id,
  coalesce(username, 'nobody') || ' asks to ' || verb || ' ' || coalesce(concat_ws('/', resource, subresource), request_path(request_uri), '')
    || coalesce(' ' || name, '') || coalesce(' in ' || namespace, '') || ' as a dry run that is none: '
    || coalesce(dry_run_fault(request_uri), 'the API server does not look at dryRun here') AS reason
FROM events
WHERE request_uri LIKE '%?%'
  AND outcome NOT IN ('dry_run', 'denied_authn', 'denied_authz', 'denied_admission', 'invalid')
  AND coalesce(dry_run, false) = false
  AND (
    dry_run_fault(request_uri) IS NOT NULL
    -- A delete may have said in its body that it is none, which clients do not do.
    OR query_value(request_uri, 'dryRun') IS NOT NULL
  )
