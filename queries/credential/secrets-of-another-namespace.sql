/*
id: secrets-of-another-namespace
title: Service account reads secrets of another namespace
severity: low
confidence: medium
risk: 10
attack: [T1552.007, T1078]
tactics: [Credential Access, Lateral Movement]
description: >-
  A service account that does not routinely read the secrets of all namespaces reads those of a namespace other than its
  own. An application needs only its own secrets. One row per account and namespace.
blind_spots: >-
  Accounts that list all secrets: see all-secrets-by-service-account.
false_positives:
  - Deployers, which compare what they apply with what exists
  - Operators limited to a few namespaces
triage:
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://attack.mitre.org/techniques/T1552/007/
covers: [CA-006]
controls: [DSP-15]
*/
WITH reads AS (
  SELECT
    *,
    bool_or(namespace IS NULL) OVER (PARTITION BY cluster, username) AS reads_all
  FROM events
  WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('get', 'list', 'watch') AND outcome = 'allowed'
    AND identity_kind = 'service_account' AND impersonated_username IS NULL
  -- Helm stores its releases in secrets and lists them by label. A field selector by name requests a single secret. The
  -- selector that the API server applies counts, and it must require that value: the response then holds only Helm
  -- releases, or that one secret.
  AND coalesce(required_value(query_value(request_uri, 'labelSelector'), 'owner') <> 'helm', true)
  AND (verb = 'get' OR coalesce(name, required_value(query_value(request_uri, 'fieldSelector'), 'metadata.name')) IS NULL)
)
SELECT
  min(event_id) AS event_id,
  username || ' reads secrets of ' || namespace || ': ' || count(*) || ' requests, for example for '
    || coalesce(min(name), 'all of them') AS reason
FROM reads
WHERE NOT reads_all AND namespace <> split_part(username, ':', 3) AND coalesce(name, '') NOT LIKE 'sh.helm.release.%'
GROUP BY cluster, username, namespace
