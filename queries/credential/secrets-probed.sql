/*
id: secrets-probed
title: Repeated failed secret reads
severity: medium
confidence: medium
risk: 30
attack: [T1552.007, T1613]
tactics: [Credential Access, Discovery]
description: >-
  A person, or a service account in a shell, requests in a burst many different secrets that it may not read or that do
  not exist. An attacker probes which credentials are readable.
blind_spots: Slow attempts, and programs whose user agent is neither a command-line tool nor an HTTP library.
false_positives:
  - Scripts with wrong rights or names
triage:
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
  - https://attack.mitre.org/techniques/T1552/007/
covers: [CA-007, CA-003]
controls: [IAM-16, DSP-15]
parameters:
  secrets:
    type: integer
    default: 5
    description: Number of different secrets or namespaces that make a burst
  gap_seconds:
    type: integer
    default: 60
    description: Pause that ends the burst
*/
WITH requests AS (
  SELECT *
  FROM client_requests
  WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('get', 'list', 'watch')
    AND (outcome = 'denied_authz' OR status_code = 404)
    AND identity_kind <> 'controller' AND tool_kind <> 'other'
),
marked AS (
  SELECT
    *,
    CASE
      WHEN date_part('epoch', time) - date_part('epoch', lag(time) OVER by_identity) <= $gap_seconds THEN 0
      ELSE 1
    END AS begins
  FROM requests
  WINDOW by_identity AS (PARTITION BY cluster, username, impersonated_username ORDER BY time, event_id)
),
episodes AS (
  SELECT
    *,
    sum(begins) OVER (PARTITION BY cluster, username, impersonated_username ORDER BY time, event_id) AS episode
  FROM marked
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' fails to read secrets of ' || count(DISTINCT namespace)
    || ' namespaces, ' || count(*) || ' times' AS reason
FROM episodes
GROUP BY cluster, username, impersonated_username, episode
HAVING count(DISTINCT coalesce(namespace, '') || '/' || coalesce(name, '')) >= $secrets
