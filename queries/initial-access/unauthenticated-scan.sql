/*
id: unauthenticated-scan
title: Unauthenticated scan
severity: low
confidence: medium
risk: 10
attack: [T1595, T1046]
tactics: [Reconnaissance, Discovery]
description: >-
  One address sends denied requests without a valid credential for many different resources: a scan for public
  endpoints. Repeated attempts of one client with an expired credential do not count.
blind_spots: >-
  Slow scans, and scans from many addresses.
false_positives:
  - In-house vulnerability scanners
triage:
  - >-
    SELECT username, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY username
  - >-
    SELECT time, verb, request_uri, outcome, user_agent FROM events WHERE client_ip = '<address>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, outcome FROM events WHERE client_ip = '<address>' AND outcome = 'allowed' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
  - https://attack.mitre.org/techniques/T1595/
covers: [IA-003]
controls: [IAM-16]
parameters:
  pages:
    type: integer
    default: 5
    description: Number of different paths that make a scan
  gap_seconds:
    type: integer
    default: 300
    description: Pause that ends the scan
*/
WITH requests AS (
  SELECT *, split_part(coalesce(request_uri, '/' || coalesce(resource, '')), '?', 1) AS page
  FROM events
  WHERE (identity_kind = 'anonymous' AND outcome IN ('denied_authz', 'denied_authn', 'error', 'invalid') OR outcome = 'denied_authn')
    -- The control plane's own clients wait for their rights at start-up.
    AND user_agent NOT LIKE 'kube-%'
),
marked AS (
  SELECT
    *,
    CASE
      WHEN date_part('epoch', time) - date_part('epoch', lag(time) OVER by_address) <= $gap_seconds THEN 0
      ELSE 1
    END AS begins
  FROM requests
  WINDOW by_address AS (PARTITION BY cluster, client_ip ORDER BY time, event_id)
),
episodes AS (
  SELECT *, sum(begins) OVER (PARTITION BY cluster, client_ip ORDER BY time, event_id) AS episode FROM marked
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  coalesce(client_ip, '?') || ' requests ' || count(DISTINCT page) || ' paths without a credential, such as ' || min(page) AS reason
FROM episodes
GROUP BY cluster, client_ip, episode
HAVING count(DISTINCT page) >= $pages
