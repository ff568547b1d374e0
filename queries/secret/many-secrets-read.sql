/*
id: many-secrets-read
aliases: [secrets-of-many-namespaces]
title: Many secrets read in a burst
severity: medium
confidence: high
risk: 40
attack: [T1552.007]
tactics: [Credential Access]
description: >-
  A person, or a service account in a shell, reads many secrets of different names, or lists the secrets of one
  namespace after another, in one burst: a script that dumps credentials. Helm releases do not count. Reads by several
  identities with one program from one address count as one burst, because an attacker may alternate between tokens.
blind_spots: Slow readers (secrets-collected-slowly), and service accounts with the user agent of a controller.
false_positives:
  - Scripts that copy or check secrets
  - Dashboards that open every secret
  - Scripts that compare or copy secrets between namespaces
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
  - https://attack.mitre.org/techniques/T1552/007/
covers: [CA-003, CA-002]
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
  namespaces:
    type: integer
    default: 4
    description: Number of namespaces that make a dump
*/
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  reader || CASE
    WHEN is_list THEN ' lists the secrets of ' || count(DISTINCT namespace) || ' namespaces in a row: '
      || array_to_string(array_agg(DISTINCT namespace ORDER BY namespace), ', ')
    ELSE ' reads ' || count(DISTINCT name) || ' secrets in a row, such as ' || min(name) || ' and ' || max(name)
  END AS reason
FROM (
  SELECT *, session_number(time, $gap_seconds) OVER (PARTITION BY cluster, username, impersonated_username, is_list ORDER BY time, event_id) AS burst
  FROM secret_reads
  WHERE NOT is_list OR namespace IS NOT NULL
)
GROUP BY cluster, username, impersonated_username, reader, is_list, burst
HAVING CASE WHEN is_list THEN count(DISTINCT namespace) >= $namespaces ELSE count(DISTINCT name) >= $secrets END
UNION ALL
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  count(DISTINCT username) || ' identities read ' || count(DISTINCT name) || ' secrets in a row, alternating, from ' || client_ip || ' with '
    || coalesce(tool, '?') || ', such as ' || min(name) || ' and ' || max(name) AS reason
FROM (
  SELECT *, session_number(time, $gap_seconds) OVER (PARTITION BY cluster, client_ip, tool ORDER BY time, event_id) AS burst
  FROM client_requests
  WHERE activity = 'secret' AND resource = 'secrets' AND (verb = 'get' OR verb IN ('list', 'watch') AND name IS NOT NULL) AND outcome = 'allowed'
    AND name NOT LIKE 'sh.helm.release.%' AND client_ip IS NOT NULL
    AND identity_kind IN ('human', 'anonymous', 'service_account', 'cloud_service_account')
)
GROUP BY cluster, client_ip, tool, burst
-- One of them is a person, because programs of a cluster share addresses. Many identities share a proxy.
HAVING count(DISTINCT name) >= $secrets AND count(DISTINCT username) BETWEEN 2 AND 4
  AND bool_or(identity_kind IN ('human', 'anonymous'))
