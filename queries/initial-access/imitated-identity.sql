/*
id: imitated-identity
title: User name that imitates a system component
severity: medium
confidence: medium
risk: 40
attack: [T1036.005, T1078, T1098]
tactics: [Stealth, Initial Access]
description: >-
  A user is named like a service account, a node, a bootstrap token or the API server, but lacks the group that the API
  server gives them: another authenticator made it, such as a certificate that somebody had signed (high). Or its name
  holds that of a component of the control plane and no table of platforms knows it, and it changes something or reads
  secrets (medium). To stay below, an attacker needs a name of the table of platform identities, and a signer for it.
blind_spots: Logs without groups. Components of platforms that the table does not know.
false_positives:
  - Control planes of distributions whose certificates have names of their own
triage:
  - SELECT time, username, verb, common_name, organizations, signer_name, approval FROM certificate_requests ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/
covers: [IA-004]
controls: [IAM-16]
*/
SELECT
  min(event_id) AS event_id,
  CASE WHEN is_form THEN 'high' ELSE 'medium' END AS severity,
  username || CASE WHEN is_form THEN ' has a name of the API server''s own without the group that goes with it'
    ELSE ' is named like a component that no platform names so' END
    || ': ' || count(*) || ' requests from ' || coalesce(min(client_ip), '?') AS reason
FROM (
  SELECT
    cluster, event_id, username, client_ip, activity,
    starts_with(username, 'system:serviceaccount:') OR starts_with(username, 'system:node:')
      OR starts_with(username, 'system:bootstrap:') OR username = 'system:apiserver' AS is_form
  FROM events
  WHERE identity_kind = 'human' AND (outcome IS DISTINCT FROM 'denied_authn')
    AND regexp_like(username, '^system:|scheduler|controller-manager|apiserver|kube-proxy|kubelet')
    AND username NOT IN ('system:admin', 'system:unsecured', 'kubelet-bootstrap')
    AND strpos(username, '@') = 0
)
WHERE is_form OR (activity <> 'read' AND regexp_like(username, 'scheduler|controller|apiserver|kube-proxy|kubelet|node'))
GROUP BY cluster, username, is_form
