/*
id: many-secrets-read
title: Many secrets read one by one
severity: medium
confidence: medium
risk: 35
attack: [T1552.007]
tactics: [Credential Access]
description: >-
  A person, or a service account in a shell, reads many secrets of different names in one burst, which indicates
  credential collection. Helm releases do not count. Reads by several identities with one program from one address count
  as one burst, because an attacker may alternate between tokens.
blind_spots: Slow readers, and service accounts with the user agent of a controller.
false_positives:
  - Scripts that copy or check secrets
  - Dashboards that open every secret
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
covers: [CA-003]
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
WITH requests AS (
  SELECT *
  FROM client_requests
  WHERE activity = 'secret' AND resource = 'secrets' AND (verb = 'get' OR verb IN ('list', 'watch') AND name IS NOT NULL) AND outcome = 'allowed'
    AND name NOT LIKE 'sh.helm.release.%'
    AND (identity_kind IN ('human', 'anonymous') OR identity_kind <> 'controller' AND tool_kind <> 'other')
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
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' reads ' || count(DISTINCT name) || ' secrets in a row, such as '
    || min(name) || ' and ' || max(name) AS reason
FROM episodes
GROUP BY cluster, username, impersonated_username, episode
HAVING count(DISTINCT name) >= $secrets
UNION ALL
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  count(DISTINCT username) || ' identities read ' || count(DISTINCT name) || ' secrets in a row, alternating, from ' || client_ip || ' with '
    || coalesce(tool, '?') || ', such as ' || min(name) || ' and ' || max(name) AS reason
FROM (
  SELECT *, sum(begins) OVER (PARTITION BY cluster, client_ip, tool ORDER BY time, event_id) AS episode
  FROM (
    SELECT
      *,
      CASE
        WHEN date_part('epoch', time) - date_part('epoch', lag(time) OVER (PARTITION BY cluster, client_ip, tool ORDER BY time, event_id)) <= $gap_seconds THEN 0
        ELSE 1
      END AS begins
    FROM client_requests
    WHERE activity = 'secret' AND resource = 'secrets' AND (verb = 'get' OR verb IN ('list', 'watch') AND name IS NOT NULL) AND outcome = 'allowed'
      AND name NOT LIKE 'sh.helm.release.%' AND client_ip IS NOT NULL
      AND identity_kind IN ('human', 'anonymous', 'service_account', 'cloud_service_account')
  )
)
GROUP BY cluster, client_ip, tool, episode
-- One of them is a person, because programs of a cluster share addresses. Many identities share a proxy.
HAVING count(DISTINCT name) >= $secrets AND count(DISTINCT username) BETWEEN 2 AND 4
  AND bool_or(identity_kind IN ('human', 'anonymous'))
