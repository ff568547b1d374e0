/*
id: secrets-of-all-namespaces
title: Secrets of all namespaces read
severity: medium
routine: low
confidence: high
risk: 45
attack: [T1552.007]
tactics: [Credential Access]
description: >-
  A person, or a service account token used in a shell, lists or watches the secrets of the whole cluster. One request
  returns every credential in it.
blind_spots: Clients with the user agent of a controller and a service account token. Reads of etcd or its backups.
false_positives:
  - Administrators who look for a secret in all namespaces
  - Backup tools that sign in with a client certificate
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
covers: [CA-001]
controls: [DSP-15]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' reads the secrets of all namespaces (' || verb || ') with ' || coalesce(user_agent, '?') AS reason
FROM client_requests
WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('list', 'watch') AND namespace IS NULL
  AND outcome = 'allowed'
  AND (identity_kind IN ('human', 'anonymous') OR identity_kind <> 'controller' AND tool_kind <> 'other')
  -- Helm stores its releases in secrets and lists them by label. A field selector by name requests a single secret. The
  -- selector that the API server applies counts, and it must require that value: the response then holds only Helm
  -- releases, or that one secret.
  AND coalesce(required_value(query_value(request_uri, 'labelSelector'), 'owner') <> 'helm', true)
  AND coalesce(name, required_value(query_value(request_uri, 'fieldSelector'), 'metadata.name')) IS NULL
