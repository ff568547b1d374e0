/*
id: unauthenticated-scan
aliases: [anonymous-sweep]
title: Unauthenticated scan
severity: medium
confidence: medium
risk: 35
attack: [T1595, T1046, T1613]
tactics: [Reconnaissance, Discovery]
description: >-
  One address requests many different paths without credentials in a burst, other than health and version paths: a
  scanner, or a person who looks for open endpoints. Denied requests without a valid credential that are further apart
  are low; repeated attempts of one client with an expired credential do not count.
blind_spots: >-
  Slow scans, and scans from many addresses. Clients with invalid credentials, which are unauthenticated but not
  anonymous. Clusters without anonymous access.
false_positives:
  - In-house vulnerability scanners
  - Announced scans
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
  - https://attack.mitre.org/techniques/T1595/
covers: [IA-003, DI-004]
controls: [IAM-16]
parameters:
  pages: {type: integer, default: 5, description: Number of different denied paths that make a scan}
  gap_seconds: {type: integer, default: 300, description: Pause that ends the scan}
  paths: {type: integer, default: 5, description: Number of different paths that make a burst}
  pause_seconds: {type: integer, default: 30, description: Pause that ends the burst}
*/
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  'low' AS severity,
  coalesce(client_ip, '?') || ' requests ' || count(DISTINCT page) || ' paths without a credential, such as ' || min(page) AS reason
FROM (
  SELECT
    *, split_part(coalesce(request_uri, '/' || coalesce(resource, '')), '?', 1) AS page,
    session_number(time, $gap_seconds) OVER (PARTITION BY cluster, client_ip ORDER BY time, event_id) AS scan
  FROM events
  WHERE (identity_kind = 'anonymous' AND outcome IN ('denied_authz', 'denied_authn', 'error', 'invalid') OR outcome = 'denied_authn')
    -- The control plane's own clients wait for their rights at start-up.
    AND user_agent NOT LIKE 'kube-%'
)
GROUP BY cluster, client_ip, scan
HAVING count(DISTINCT page) >= $pages
UNION ALL
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  'medium' AS severity,
  coalesce(client_ip, 'an unknown address') || ' requests ' || count(DISTINCT path)
    || ' different paths in a burst without credentials; allowed: ' || count(*) FILTER (WHERE outcome = 'allowed') AS reason
FROM (
  SELECT
    *, coalesce(request_path(request_uri), request_uri) AS path,
    session_number(time, $pause_seconds) OVER (PARTITION BY cluster, client_ip ORDER BY time, event_id) AS burst
  FROM events
  WHERE identity_kind = 'anonymous' AND username IS NOT NULL
    AND NOT coalesce(regexp_like(request_path(request_uri), '^/(healthz|livez|readyz|version|favicon\.ico)(/|$)'), false)
)
GROUP BY cluster, client_ip, burst
HAVING count(DISTINCT path) >= $paths
