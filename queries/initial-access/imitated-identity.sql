/*
id: imitated-identity
title: User name that imitates a system component
severity: medium
confidence: medium
risk: 40
attack: [T1036.005, T1078, T1098]
tactics: [Stealth, Initial Access]
description: >-
  A user has the name of a service account, a node, a bootstrap token or the API server, but lacks the group that the
  API server assigns to them. Another authenticator produced it, for example a signed certificate (high). Or its name
  contains that of a control plane component, no table of platforms lists it, and it changes something or reads secrets
  (medium). To avoid detection, an attacker needs a name from the table of platform identities, and a signer for it.
blind_spots: Logs without groups. Platform components that are not in the table.
false_positives:
  - Control planes of distributions with their own certificate names
triage:
  - >-
    SELECT time, username, verb, common_name, organizations, signer_name, approval FROM certificate_requests ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/authentication/
covers: [IA-004]
controls: [IAM-16]
*/
SELECT
  min(event_id) AS event_id,
  CASE WHEN is_form THEN 'high' ELSE 'medium' END AS severity,
  username || CASE WHEN is_form THEN ' has a name reserved by the API server without its group'
    ELSE ' has the name of a component that no known platform uses' END
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
