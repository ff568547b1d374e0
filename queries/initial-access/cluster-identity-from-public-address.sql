/*
id: cluster-identity-from-public-address
title: Service account or component used from a public address
severity: high
confidence: medium
risk: 55
attack: [T1078, T1528]
tactics: [Initial Access]
description: >-
  A service account or a cluster component that otherwise uses private addresses sends requests from a public address
  that does not belong to a node. Its credential left the cluster.
blind_spots: >-
  Identities that only use public addresses, such as pipelines outside the cluster, and attackers inside the network.
false_positives:
  - Clusters that change the gateway of their nodes
references:
  - https://attack.mitre.org/techniques/T1078/
  - https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
covers: [IA-004]
controls: [IAM-16]
*/
WITH requests AS (
  SELECT event_id, time, cluster, username, identity_kind, client_ip, user_agent, outcome, in_scope FROM all_events
),
nodes AS (
  SELECT DISTINCT cluster, client_ip FROM requests WHERE identity_kind IN ('node', 'controller')
),
of_cluster AS (
  SELECT *, bool_or(is_private_ip(client_ip)) OVER (PARTITION BY cluster, username) AS is_at_home
  FROM requests
  WHERE identity_kind IN ('service_account', 'system') AND outcome NOT IN ('unknown', 'denied_authn')
)
SELECT
  array_agg(event_id ORDER BY time) AS event_id,
  username || ' sends requests from the public address ' || of_cluster.client_ip || ' with ' || coalesce(min(user_agent), '?') || ': '
    || count(*) || ' requests' AS reason
FROM of_cluster
LEFT JOIN nodes ON of_cluster.cluster = nodes.cluster AND of_cluster.client_ip = nodes.client_ip
WHERE in_scope AND is_at_home AND NOT is_private_ip(of_cluster.client_ip) AND nodes.client_ip IS NULL
GROUP BY of_cluster.cluster, username, of_cluster.client_ip
