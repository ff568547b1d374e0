/*
id: denied-then-allowed
title: Denied in several namespaces, then allowed
severity: medium
confidence: medium
risk: 30
attack: [T1613, T1078]
tactics: [Discovery, Execution]
description: >-
  An identity tries the same request in several namespaces, is denied there, and continues until a namespace allows it.
  This pattern tests a credential. A client that repeats the same denied request counts once.
blind_spots: Attempts by several identities, and slow attempts.
false_positives:
  - People who lost their rights or do not know them
  - Inventory tools that collect what they may read
triage:
  - >-
    SELECT username, first_seen, last_seen, requests, denied, hours, namespaces FROM identities WHERE username = '<identity>'
references:
  - https://attack.mitre.org/techniques/T1613/
covers: [WS-016]
controls: [IAM-16]
parameters:
  namespaces:
    type: integer
    default: 3
    description: Number of namespaces that deny the request
  within_seconds:
    type: integer
    default: 600
    description: Maximum time between the attempts
*/
WITH tries AS (
  SELECT
    event_id, time, cluster, coalesce(impersonated_username, username) AS identity, verb, namespace,
    concat_ws('/', resource, subresource) AS resource, outcome, activity
  FROM events
  WHERE identity_kind IN ('human', 'service_account', 'cloud_service_account') AND outcome IN ('allowed', 'denied_authz') AND namespace IS NOT NULL
    AND verb IN ('list', 'get', 'create', 'update', 'patch', 'delete', 'deletecollection')
    AND activity IN ('workload', 'secret', 'rbac', 'access', 'read')
    -- Requests that the identity may send everywhere are left out.
    AND resource IN (
      'pods', 'secrets', 'deployments', 'daemonsets', 'statefulsets', 'jobs', 'cronjobs', 'roles', 'rolebindings', 'serviceaccounts',
      'configmaps'
    )
),
firsts AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY cluster, identity, verb, resource, namespace, outcome ORDER BY time, event_id) AS nth,
    min(CASE WHEN outcome = 'allowed' THEN time END) OVER (PARTITION BY cluster, identity, verb, resource) AS first_allowed
  FROM tries
),
-- First denials, up to the first allowed request.
refused AS (
  SELECT
    cluster, identity, verb, resource, first_allowed,
    array_agg(event_id ORDER BY time) AS refused_events,
    count(*) AS namespaces
  FROM firsts
  WHERE nth = 1 AND outcome = 'denied_authz' AND time < first_allowed
    AND date_diff('second', time, first_allowed) <= $within_seconds
  GROUP BY cluster, identity, verb, resource, first_allowed
  HAVING count(*) >= $namespaces
)
SELECT
  array_append(refused_events, event_id) AS event_id,
  refused.identity || ' is not allowed to ' || refused.verb || ' ' || refused.resource || ' in ' || namespaces
    || ' namespaces, then is allowed in ' || namespace AS reason
FROM refused
JOIN firsts
  ON refused.cluster = firsts.cluster AND refused.identity = firsts.identity AND refused.verb = firsts.verb
    AND refused.resource = firsts.resource AND refused.first_allowed = firsts.time
WHERE outcome = 'allowed' AND nth = 1
