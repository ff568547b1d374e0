/*
id: anonymous-request
title: Unauthenticated request
severity: info
confidence: high
risk: 1
attack: [T1190]
tactics: [Initial Access]
description: >-
  Unauthenticated clients send requests other than health and version checks. One row per address, with the number of
  denied requests.
blind_spots: Clients behind a proxy, which share an address.
false_positives:
  - Load balancer probes
  - Internet noise where the API server is public
triage:
  - >-
    SELECT username, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY username
  - >-
    SELECT time, verb, request_uri, outcome, user_agent FROM events WHERE client_ip = '<address>' ORDER BY time
  - >-
    SELECT identity_kind, username, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY identity_kind, username
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests
covers: [IA-002]
controls: [IAM-16]
*/
SELECT
  min(event_id) AS event_id,
  coalesce(client_ip, '?') || ' sends requests without a credential: ' || count(*) || ', of which '
    || sum(CASE WHEN outcome = 'allowed' THEN 0 ELSE 1 END) || ' were denied' AS reason
FROM events
WHERE identity_kind = 'anonymous'
  AND NOT coalesce(regexp_like(request_path(request_uri), '^/(healthz|livez|readyz|version)(/|$)'), false)
GROUP BY cluster, client_ip
