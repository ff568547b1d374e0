/*
id: all-secrets-by-service-account
title: Secrets of all namespaces read by a service account
severity: info
confidence: high
risk: 2
attack: [T1552.007]
tactics: [Credential Access]
description: >-
  A service account lists or watches the secrets of the whole cluster, as certificate managers, backup tools and GitOps
  controllers do. An attacker who takes over a pod that runs as this account has every credential of the cluster.
blind_spots: >-
  Accounts that have the right but do not use it.
false_positives:
  - Certificate managers, secret operators, backup tools, GitOps controllers
triage:
  - >-
    SELECT time, verb, namespace, name, outcome, user_agent FROM events WHERE activity = 'secret' AND username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [CA-001, CA-006]
controls: [DSP-15]
*/
SELECT
  min(event_id) AS event_id,
  coalesce(username, 'an unknown identity') || ' reads the secrets of all namespaces: ' || count(*) || ' requests with '
    || coalesce(min(user_agent), '?') AS reason
FROM events
WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('list', 'watch') AND namespace IS NULL
  AND outcome = 'allowed' AND identity_kind IN ('service_account', 'cloud_service_account')
GROUP BY cluster, username
