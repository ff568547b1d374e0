/*
id: secret-written
title: Secret written by a person
severity: info
confidence: high
risk: 2
attack: [T1552.007, T1565.001]
tactics: [Credential Access, Impact]
description: A person creates, changes or deletes a secret. Applications trust the new content.
blind_spots: The changed keys, whose values are not kept.
false_positives:
  - Everyday work
triage:
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
covers: [CA-012]
controls: [DSP-15]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' writes secret ' || coalesce(namespace || '/', '') || coalesce(name, '*') || ' (' || verb || ')' AS reason
FROM events
WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
  AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous') AND coalesce(name, '') NOT LIKE 'sh.helm.release.%'
  AND coalesce(required_value(query_value(request_uri, 'labelSelector'), 'owner') <> 'helm', true)
