/*
id: secrets-of-a-namespace
title: Secrets of a namespace listed
severity: low
confidence: medium
risk: 10
attack: [T1552.007]
tactics: [Credential Access]
description: >-
  A person, or a service account in a shell, lists the secrets of a namespace. The response holds their values, even
  where the client shows only their names.
blind_spots: Reads of secrets one by one, and lists by controllers.
false_positives:
  - People who check which secrets exist
  - Dashboards, which list what they show
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
covers: [CA-002]
controls: [DSP-15]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' lists the secrets of ' || namespace || ' with ' || coalesce(user_agent, '?') AS reason
FROM client_requests
WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('list', 'watch') AND namespace IS NOT NULL
  AND outcome = 'allowed'
  AND (identity_kind IN ('human', 'anonymous') OR identity_kind <> 'controller' AND tool_kind <> 'other')
  -- Helm stores its releases in secrets and lists them by label. A field selector by name requests a single secret. The
  -- selector that the API server applies counts, and it must require that value: the response then holds only Helm
  -- releases, or that one secret.
  AND coalesce(required_value(query_value(request_uri, 'labelSelector'), 'owner') <> 'helm', true)
  AND coalesce(name, required_value(query_value(request_uri, 'fieldSelector'), 'metadata.name')) IS NULL
