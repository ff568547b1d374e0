/*
id: dry-run-carried-out
title: Dry run that created its object
severity: high
confidence: medium
risk: 60
attack: [T1610, T1036]
tactics: [Stealth, Execution]
description: >-
  An object whose creation was logged as a dry run is used afterwards, although no other request in the log created it:
  the scheduler binds the pod, a kubelet reports its status, a controller creates its dependents, or its uid appears
  again. The request was not a dry run.
blind_spots: Objects without a later request in the log. Creations that the audit policy leaves out look like this.
false_positives:
  - Objects created, after a dry run, by a request that is not in the log
triage:
  - >-
    SELECT time, username, client_ip, user_agent, verb, request_uri, dry_run, outcome, status_code FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, resource, subresource, outcome FROM events WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
  - https://attack.mitre.org/techniques/T1036/
covers: [WL-078]
controls: [AIS-06]
*/
WITH tried AS (
  SELECT cluster, event_id, time, username, api_group, resource, namespace, name, object_uid, workload['kind'] AS kind
  FROM events
  WHERE activity = 'workload' AND created AND outcome = 'dry_run' AND subresource IS NULL AND name IS NOT NULL
),
-- Objects that exist anyway: created by another request, or before the log. They prove nothing about the dry run.
known AS (
  SELECT DISTINCT cluster, resource, namespace, name
  FROM all_events
  WHERE activity = 'workload' AND verb IN ('create', 'update', 'patch') AND subresource IS NULL AND outcome = 'allowed'
    AND name IS NOT NULL
),
used AS (
  SELECT tried.cluster, tried.event_id, concat(later.verb, ' ', concat_ws('/', later.resource, later.subresource), ' by ', later.username) AS use, later.time
  FROM tried
  JOIN events AS later
    ON later.cluster = tried.cluster AND later.resource = tried.resource AND later.namespace = tried.namespace
    AND later.name = tried.name
  LEFT ANTI JOIN known
    ON known.cluster = tried.cluster AND known.resource = tried.resource AND known.namespace = tried.namespace
    AND known.name = tried.name
  WHERE later.time >= tried.time AND later.outcome = 'allowed' AND later.subresource IN ('binding', 'status')
    AND later.identity_kind IN ('controller', 'node', 'system')
  UNION ALL
  SELECT tried.cluster, tried.event_id, concat(later.verb, ' ', later.resource, ' by ', later.username) AS use, later.time
  FROM tried
  JOIN events AS later
    ON later.cluster = tried.cluster AND later.workload['owner']['kind'] = tried.kind
    AND later.workload['owner']['name'] = tried.name AND later.namespace = tried.namespace
  LEFT ANTI JOIN known
    ON known.cluster = tried.cluster AND known.resource = tried.resource AND known.namespace = tried.namespace
    AND known.name = tried.name
  WHERE later.time >= tried.time AND later.outcome = 'allowed' AND later.activity = 'workload' AND later.identity_kind = 'controller'
  UNION ALL
  -- A uid is never assigned twice.
  SELECT tried.cluster, tried.event_id, concat(later.verb, ' ', concat_ws('/', later.resource, later.subresource), ' by ', later.username) AS use, later.time
  FROM tried
  JOIN events AS later ON later.cluster = tried.cluster AND later.object_uid = tried.object_uid
  WHERE later.event_id <> tried.event_id AND later.time >= tried.time AND later.outcome = 'allowed'
),
firsts AS (
  SELECT *, row_number() OVER (PARTITION BY cluster, event_id ORDER BY time, use) AS nth FROM used
)
SELECT
  tried.event_id,
  coalesce(username, 'an unknown identity') || ' creates ' || kind || ' ' || tried.name || ' as a dry run, but it exists: ' || use AS reason
FROM tried
JOIN firsts ON firsts.cluster = tried.cluster AND firsts.event_id = tried.event_id
WHERE nth = 1
