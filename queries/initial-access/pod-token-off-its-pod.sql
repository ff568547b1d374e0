/*
id: pod-token-off-its-pod
title: Pod token used outside its pod
severity: high
confidence: medium
risk: 60
attack: [T1528, T1550.001]
tactics: [Credential Access, Lateral Movement]
description: >-
  A token bound to a pod and so far used from one address is used from another address with another tool, or a few times
  from another address between many requests of the pod. It was taken out of the pod. A pod does not move, so in the
  second case the tool does not matter. To avoid detection, an attacker must work from a node, or after the pod is gone.
blind_spots: >-
  Tokens that the pod itself never used. API servers that do not log the pod. Attackers who copy the user agent and use
  the token as often as the pod does, or after it.
false_positives:
  - Pods on the host network of nodes with several addresses, and proxies in front of the API server
triage:
  - >-
    SELECT client_ip, user_agent, min(time) AS first, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
  - https://attack.mitre.org/techniques/T1550/001/
covers: [IA-010]
controls: [IAM-16]
parameters:
  known_after: {type: integer, default: 10, description: Number of requests that make an address known}
*/
WITH requests AS (
  SELECT *, true AS in_scope FROM client_requests
  UNION ALL
  SELECT *, false AS in_scope FROM client_requests_history
),
of_pods AS (
  SELECT *, user_extra['authentication.kubernetes.io/pod-uid'][1] AS pod_uid, user_extra['authentication.kubernetes.io/pod-name'][1] AS pod
  FROM requests
  WHERE identity_kind = 'service_account' AND outcome NOT IN ('unknown', 'denied_authn')
),
addresses AS (
  SELECT
    cluster, pod_uid, client_ip, count(*) AS requests, min(time) AS first, max(time) AS last, contains(client_ip, ':') AS is_v6
  FROM of_pods
  WHERE pod_uid IS NOT NULL AND client_ip IS NOT NULL
  GROUP BY cluster, pod_uid, client_ip
),
shared AS (
  SELECT cluster, client_ip FROM addresses GROUP BY cluster, client_ip HAVING count(*) > 2
),
numbered AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY cluster, pod_uid ORDER BY time, event_id) AS nth,
    row_number() OVER (PARTITION BY cluster, pod_uid, client_ip ORDER BY time, event_id) AS nth_of_address,
    row_number() OVER (PARTITION BY cluster, pod_uid, tool ORDER BY time, event_id) AS nth_of_tool
  FROM of_pods
  WHERE pod_uid IS NOT NULL
)
SELECT
  array_agg(event_id ORDER BY time, event_id) AS event_id,
  'token of pod ' || min(coalesce(pod, '?')) || ' of ' || username || ' used from ' || client_ip || ' in addition to ' || min(home_ip)
    || ', between requests of the pod: ' || count(*) || ' requests' AS reason
FROM (
  SELECT used.*, home_ip
  FROM of_pods AS used
  JOIN (
    SELECT away.cluster, away.pod_uid, away.client_ip, min(home.client_ip) AS home_ip
    FROM addresses AS away
    JOIN addresses AS home ON home.cluster = away.cluster AND home.pod_uid = away.pod_uid
    WHERE home.client_ip <> away.client_ip AND home.is_v6 = away.is_v6 AND home.requests >= $known_after
      AND home.first < away.first AND home.last > away.last AND away.requests < home.requests / 5
    GROUP BY away.cluster, away.pod_uid, away.client_ip
  ) AS elsewhere
    ON elsewhere.cluster = used.cluster AND elsewhere.pod_uid = used.pod_uid AND elsewhere.client_ip = used.client_ip
  -- An address of many pods belongs to a gateway, and traffic that leaves a node may have the node's address.
  LEFT ANTI JOIN (SELECT DISTINCT cluster, client_ip FROM requests WHERE identity_kind = 'node') AS node
    ON node.cluster = used.cluster AND node.client_ip = used.client_ip
  LEFT ANTI JOIN shared ON shared.cluster = used.cluster AND shared.client_ip = used.client_ip
  WHERE in_scope
)
GROUP BY cluster, pod_uid, username, client_ip
UNION ALL
SELECT
  make_array(event_id) AS event_id,
  'token of pod ' || coalesce(pod, '?') || ' of ' || username || ' used from ' || coalesce(client_ip, '?') || ' with '
    || coalesce(tool, '?') AS reason
FROM numbered
WHERE in_scope AND nth > 1 AND nth_of_address = 1 AND nth_of_tool = 1
