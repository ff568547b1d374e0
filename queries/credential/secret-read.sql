/*
id: secret-read
title: Secret read by a person
severity: info
confidence: high
risk: 1
attack: [T1552.007]
tactics: [Credential Access]
description: A person reads a secret by name. This is everyday work by itself, and adds to the risk of other findings.
blind_spots: Secrets returned by a list, and clients of service accounts.
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
covers: [CA-016]
controls: [DSP-15]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' reads secret ' || coalesce(namespace || '/', '') || coalesce(name, '?') AS reason
FROM events
WHERE activity = 'secret' AND resource = 'secrets' AND (verb = 'get' OR verb IN ('list', 'watch') AND name IS NOT NULL) AND outcome = 'allowed'
  AND identity_kind IN ('human', 'anonymous') AND name NOT LIKE 'sh.helm.release.%'
