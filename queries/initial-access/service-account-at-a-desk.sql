/*
id: service-account-at-a-desk
title: Service account used from a workstation
severity: medium
confidence: medium
risk: 30
attack: [T1528, T1078]
tactics: [Credential Access, Stealth]
description: >-
  A service account is used with kubectl, a dashboard, Helm or another interactive client from an address from which a
  person also works, or with any program from there in addition to its usual address. The person holds the account's
  token. Addresses shared by many identities (proxies, gateways) do not count.
blind_spots: Tokens used from another address. Clusters that see all clients behind one address.
false_positives:
  - People who received a kubeconfig with a service account
triage:
  - >-
    SELECT time, username, namespace, name, outcome, client_ip FROM events WHERE resource = 'serviceaccounts' AND subresource = 'token' AND identity_kind NOT IN ('node', 'controller') ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1528/
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [WL-073, IA-009]
controls: [IAM-16]
parameters:
  shared_by:
    type: integer
    default: 3
    description: Number of identities above which an address counts as a proxy
*/
WITH addresses AS (
  SELECT
    cluster, client_ip,
    count(DISTINCT username) AS identities,
    min(CASE WHEN identity_kind = 'human' AND tool_kind = 'interactive' THEN username END) AS person
  FROM client_requests
  WHERE identity_kind IN ('human', 'service_account', 'node', 'controller', 'system') AND outcome <> 'denied_authn'
  GROUP BY cluster, client_ip
),
-- The usual place of an account: another address, with most of its requests.
homes AS (
  SELECT cluster, username, client_ip, count(*) AS requests
  FROM client_requests
  WHERE identity_kind = 'service_account' AND outcome NOT IN ('unknown', 'denied_authn')
  GROUP BY cluster, username, client_ip
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  username || ' is used with ' || tool || ' from ' || requests.client_ip || ', where ' || min(person) || ' works: ' || count(*)
    || ' requests' AS reason
FROM client_requests AS requests
JOIN addresses ON requests.cluster = addresses.cluster AND requests.client_ip = addresses.client_ip
LEFT JOIN (
  SELECT away.cluster AS home_cluster, away.username AS home_username, away.client_ip AS away_ip
  FROM homes AS away
  JOIN homes AS home ON home.cluster = away.cluster AND home.username = away.username AND home.client_ip <> away.client_ip
  WHERE home.requests >= 10 AND away.requests < home.requests / 5
  GROUP BY away.cluster, away.username, away.client_ip
) AS has_home
  ON home_cluster = requests.cluster AND home_username = requests.username AND away_ip = requests.client_ip
WHERE identity_kind = 'service_account' AND resource IS NOT NULL
  AND (tool_kind = 'interactive' OR home_username IS NOT NULL
    OR tool IN ('helm', 'helm.exe', 'terraform', 'hashicorp', 'pulumi', 'argocd', 'argocd-cli', 'flux', 'kustomize', 'skaffold', 'tilt', 'stern', 'istioctl', 'cilium', 'velero', 'virtctl', 'kubectx', 'kubens'))
  AND outcome NOT IN ('unknown', 'denied_authn')
  AND person IS NOT NULL AND identities <= $shared_by
GROUP BY requests.cluster, username, requests.client_ip, tool
