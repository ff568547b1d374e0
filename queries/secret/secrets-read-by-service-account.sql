/*
id: secrets-read-by-service-account
aliases: [secrets-of-another-namespace, all-secrets-by-service-account]
title: Secrets read by a service account outside its namespace
severity: low
confidence: medium
risk: 10
attack: [T1552.007, T1078]
tactics: [Credential Access, Lateral Movement]
description: >-
  A service account reads secrets of a namespace other than its own. Few applications need this; an attacker with a
  token of such an account gets the credentials of other applications. Accounts that list the secrets of all namespaces,
  as controllers do, are info.
blind_spots: Accounts that have the right but do not use it.
false_positives:
  - Deployers, which compare what they apply with what exists
  - Operators limited to a few namespaces
  - Certificate managers, secret operators, backup tools, GitOps controllers
references:
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
  - https://attack.mitre.org/techniques/T1552/007/
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
covers: [CA-006, CA-001]
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
  'low' AS severity,
  username || ' reads secrets of ' || namespace || ': ' || count(*) || ' requests, for example for '
    || coalesce(min(name), 'all of them') AS reason
FROM reads
WHERE NOT reads_all AND namespace <> split_part(username, ':', 3) AND coalesce(name, '') NOT LIKE 'sh.helm.release.%'
GROUP BY cluster, username, namespace
UNION ALL
SELECT
  min(event_id) AS event_id,
  'info' AS severity,
  coalesce(username, 'an unknown identity') || ' reads the secrets of all namespaces: ' || count(*) || ' requests with '
    || coalesce(min(user_agent), '?') AS reason
FROM events
WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('list', 'watch') AND namespace IS NULL
  AND outcome = 'allowed' AND identity_kind IN ('service_account', 'cloud_service_account')
GROUP BY cluster, username
