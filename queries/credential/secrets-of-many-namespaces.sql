/*
id: secrets-of-many-namespaces
title: Secrets of many namespaces listed
severity: medium
confidence: high
risk: 40
attack: [T1552.007]
tactics: [Credential Access]
description: >-
  A person, or a service account in a shell, lists the secrets of one namespace after another in a burst. A script dumps
  credentials this way, as does an attacker who may not list all namespaces in one request.
blind_spots: Dumps with long pauses, and service accounts with the user agent of a controller.
false_positives:
  - Scripts that compare or copy secrets between namespaces
triage:
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, verb, resource, namespace, name, outcome FROM events WHERE activity = 'rbac' AND username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
  - https://attack.mitre.org/techniques/T1552/007/
covers: [CA-002]
controls: [DSP-15]
parameters:
  namespaces:
    type: integer
    default: 4
    description: Number of namespaces that make a dump
  gap_seconds:
    type: integer
    default: 60
    description: Pause that ends the burst
*/
WITH requests AS (
  SELECT *
  FROM client_requests
  WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('list', 'watch') AND namespace IS NOT NULL
    AND outcome = 'allowed'
    AND (identity_kind IN ('human', 'anonymous') OR identity_kind <> 'controller' AND tool_kind <> 'other')
  -- Helm stores its releases in secrets and lists them by label. A field selector by name requests a single secret. The
  -- selector that the API server applies counts, and it must require that value: the response then holds only Helm
  -- releases, or that one secret.
  AND coalesce(required_value(query_value(request_uri, 'labelSelector'), 'owner') <> 'helm', true)
  AND coalesce(name, required_value(query_value(request_uri, 'fieldSelector'), 'metadata.name')) IS NULL
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
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' lists the secrets of ' || count(DISTINCT namespace)
    || ' namespaces in a row: ' || array_to_string(array_agg(DISTINCT namespace ORDER BY namespace), ', ') AS reason
FROM episodes
GROUP BY cluster, username, impersonated_username, episode
HAVING count(DISTINCT namespace) >= $namespaces
