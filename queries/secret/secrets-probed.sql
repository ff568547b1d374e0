/*
id: secrets-probed
title: Repeated failed secret reads
severity: medium
confidence: medium
risk: 30
attack: [T1552.007, T1613]
tactics: [Credential Access, Discovery]
description: >-
  A person, or a service account in a shell, requests in a burst many different secrets that it may not read or that do
  not exist. An attacker probes which credentials are readable.
blind_spots: Slow attempts, and programs whose user agent is neither a command-line tool nor an HTTP library.
false_positives:
  - Scripts with wrong rights or names
references:
  - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
  - https://attack.mitre.org/techniques/T1552/007/
covers: [CA-007, CA-003]
controls: [IAM-16, DSP-15]
parameters:
  secrets:
    type: integer
    default: 5
    description: Number of different secrets or namespaces that make a burst
  gap_seconds:
    type: integer
    default: 60
    description: Pause that ends the burst
*/
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' fails to read secrets of ' || count(DISTINCT namespace)
    || ' namespaces, ' || count(*) || ' times' AS reason
FROM (
  SELECT *, session_number(time, $gap_seconds) OVER (PARTITION BY cluster, username, impersonated_username ORDER BY time, event_id) AS burst
  FROM client_requests
  WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('get', 'list', 'watch')
    AND (outcome = 'denied_authz' OR status_code = 404)
    AND identity_kind <> 'controller' AND tool_kind <> 'other'
)
GROUP BY cluster, username, impersonated_username, burst
HAVING count(DISTINCT coalesce(namespace, '') || '/' || coalesce(name, '')) >= $secrets
