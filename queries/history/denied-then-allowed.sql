/*
id: denied-then-allowed
title: Denied in several namespaces, then allowed
severity: medium
confidence: medium
risk: 30
attack: [T1613, T1078]
tactics: [Discovery, Execution]
description: >-
  Somebody tries the same thing in several namespaces, is refused there, and goes on until it works: a
  credential that is tried out. A client that is refused the same thing again and again counts once.
blind_spots: >-
  Tries from several identities, and slow ones.
false_positives:
  - People who have lost their rights or do not know them
  - Inventories that take what they get
triage:
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
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
    description: In how many namespaces it must have been refused
  within_seconds:
    type: integer
    default: 600
    description: How long the tries may take
*/
WITH tries AS (
  SELECT
    event_id, time, cluster, coalesce(impersonated_username, username) AS identity, verb, namespace,
    concat_ws('/', resource, subresource) AS resource, outcome, activity
  FROM events
  WHERE identity_kind IN ('human', 'service_account', 'cloud_service_account') AND outcome IN ('allowed', 'denied_authz') AND namespace IS NOT NULL
    AND verb IN ('list', 'get', 'create', 'update', 'patch', 'delete', 'deletecollection')
    AND activity IN ('workload', 'secret', 'rbac', 'access', 'read')
    -- What one may do everywhere is no find.
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
-- What was refused for the first time, until anything was allowed.
refused AS (
  SELECT
    cluster, identity, verb, resource, first_allowed,
    array_agg(event_id ORDER BY time) AS refused_events,
    count(*) AS namespaces
  FROM firsts
  WHERE nth = 1 AND outcome = 'denied_authz' AND time < first_allowed
    AND date_part('epoch', first_allowed) - date_part('epoch', time) <= $within_seconds
  GROUP BY cluster, identity, verb, resource, first_allowed
  HAVING count(*) >= $namespaces
)
SELECT
  array_append(refused_events, event_id) AS event_id,
  refused.identity || ' is refused to ' || refused.verb || ' ' || refused.resource || ' in ' || namespaces
    || ' namespaces and then allowed in ' || namespace AS reason
FROM refused
JOIN firsts
  ON refused.cluster = firsts.cluster AND refused.identity = firsts.identity AND refused.verb = firsts.verb
    AND refused.resource = firsts.resource AND refused.first_allowed = firsts.time
WHERE outcome = 'allowed' AND nth = 1
