/*
id: controller-identity-misused
title: Control plane identity used outside the control plane
severity: critical
confidence: high
risk: 80
attack: [T1078, T1528, T1036.005]
tactics: [Initial Access, Privilege Escalation, Stealth]
description: >-
  The controllers, the scheduler and the API server do the same few things with the same programs from the same
  addresses. Here such an identity deviates: it uses a token that another identity requested, an interactive client, or
  a program or address that the control plane of this cluster hardly ever uses; or it uses an address where
  kube-controller-manager does not run although it runs elsewhere in the log; or it sends requests for which it has no
  reason, such as entering pods, reading secrets, requesting tokens, changing roles, or creating workloads without an
  owner. To avoid detection, an attacker must work from a control plane address, use the name of its program, and stay
  within the controller's normal requests.
blind_spots: >-
  Few requests in a short log, which give no addresses and programs to compare. API servers before 1.32, which do not
  log credential ids.
false_positives:
  - A control plane that moves to another address in the last seconds of a log
triage:
  - >-
    SELECT client_ip, user_agent, count(*) AS requests, min(time) AS first, max(time) AS last FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND client_ip = '<address>' ORDER BY time
  - >-
    SELECT time, username, verb, resource, namespace, name FROM events WHERE client_ip = '<address>' AND username <> '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#controller-roles
  - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
covers: [IA-004, IA-009, IA-010]
controls: [IAM-16]
parameters:
  rare:
    type: integer
    default: 100
    description: Number of control plane requests below which a program or address can be rare
  known:
    type: integer
    default: 20
    description: Factor by which the requests of other programs or addresses exceed those of a rare one
*/
WITH clients AS (
  SELECT
    cluster, client_ip, agent, sum(requests) AS requests,
    sum(sum(requests)) OVER (PARTITION BY cluster) AS of_cluster,
    sum(sum(requests)) OVER (PARTITION BY cluster, client_ip) AS of_address,
    sum(sum(requests)) OVER (PARTITION BY cluster, agent) AS of_agent
  FROM (
    SELECT cluster, client_ip, lower(user_agent_tool(user_agent)) AS agent, count(*) AS requests
    FROM all_events WHERE identity_kind = 'controller' GROUP BY cluster, client_ip, lower(user_agent_tool(user_agent))
  )
  GROUP BY cluster, client_ip, agent
),
strange AS (
  SELECT
    cluster, client_ip, agent,
    CASE
      WHEN client_tools.kind IN ('interactive', 'shell', 'attack tool') THEN 'with ' || agent
      WHEN agent IS NOT NULL AND of_agent < $rare AND of_cluster > of_agent * $known AND of_cluster > $rare * $known
        THEN 'with ' || agent || ', which the control plane does not use'
      WHEN client_ip IS NOT NULL AND of_address < $rare AND of_cluster > of_address * $known AND of_cluster > $rare * $known
        THEN 'from ' || client_ip || ', which the control plane does not use'
    END AS how
  FROM clients
  LEFT JOIN client_tools ON client_tools.tool = agent
),
by_client AS (
  SELECT event.event_id, event.time, event.cluster, event.username, event.client_ip, how
  FROM (
    SELECT event_id, time, cluster, username, client_ip, lower(user_agent_tool(user_agent)) AS agent
    FROM events WHERE identity_kind = 'controller' AND (outcome IS DISTINCT FROM 'denied_authn')
  ) AS event
  JOIN (SELECT * FROM strange WHERE how IS NOT NULL) AS strange
    ON strange.cluster = event.cluster AND (strange.client_ip IS NOT DISTINCT FROM event.client_ip)
    AND (strange.agent IS NOT DISTINCT FROM event.agent)
),
minted AS (
  SELECT cluster, annotations['authentication.kubernetes.io/issued-credential-id'] AS credential, min(username) AS requester
  FROM (
    SELECT cluster, annotations, username, identity_kind, activity, resource, subresource, impersonated_username FROM all_events
  )
  WHERE activity = 'access' AND resource = 'serviceaccounts' AND subresource = 'token'
    AND (identity_kind NOT IN ('controller', 'system') OR impersonated_username IS NOT NULL)
  GROUP BY cluster, annotations['authentication.kubernetes.io/issued-credential-id']
),
by_token AS (
  SELECT event_id, time, event.cluster, username, client_ip, 'with a token that ' || requester || ' requested' AS how
  FROM (
    SELECT event_id, time, cluster, username, client_ip, token_credential_id
    FROM events WHERE identity_kind = 'controller' AND activity <> 'read' AND token_credential_id IS NOT NULL
  ) AS event
  JOIN minted ON minted.cluster = event.cluster AND minted.credential = token_credential_id
),
-- The controllers work where kube-controller-manager runs, which first requests their tokens there. Where the log shows
-- its lease, its home is where the lease was renewed: an attacker with only its credential renews no lease.
managers AS (
  SELECT
    cluster, client_ip, min(time) AS first,
    bool_or(resource = 'leases' AND name = 'kube-controller-manager' AND verb IN ('create', 'update', 'patch')) AS leads
  FROM (
    SELECT cluster, client_ip, time, username, outcome, resource, name, verb FROM stages
    UNION ALL
    SELECT cluster, client_ip, time, username, outcome, resource, name, verb FROM stages_history
  )
  WHERE username = 'system:kube-controller-manager' AND client_ip IS NOT NULL AND (outcome IS DISTINCT FROM 'denied_authn')
  GROUP BY cluster, client_ip
),
homes AS (
  SELECT cluster, client_ip, first, leads
  FROM (SELECT *, bool_or(leads) OVER (PARTITION BY cluster) AS shows_leases FROM managers)
  WHERE leads OR NOT shows_leases
),
by_home AS (
  SELECT DISTINCT
    event.event_id, event.time, event.cluster, event.username, event.client_ip,
    'from an address where kube-controller-manager does not run' AS how
  FROM (
    SELECT event_id, time, cluster, username, client_ip
    FROM events
    WHERE identity_kind = 'controller' AND client_ip IS NOT NULL AND (outcome IS DISTINCT FROM 'denied_authn')
      -- A manager that waits for the lease only reads.
      AND (starts_with(username, 'system:serviceaccount:kube-system:')
        OR (username = 'system:kube-controller-manager'
          AND (activity IN ('access', 'secret', 'rbac', 'workload') OR activity = 'write' AND resource NOT IN ('leases', 'events', 'endpoints', 'configmaps'))))
  ) AS event
  JOIN homes ON homes.cluster = event.cluster AND homes.first < event.time
  LEFT JOIN homes AS own ON own.cluster = event.cluster AND own.client_ip = event.client_ip
  WHERE own.cluster IS NULL
),
by_act AS (
  SELECT
    event_id, time, cluster, username, client_ip,
    CASE
      WHEN impersonated_username IS NOT NULL THEN 'as ' || impersonated_username
      WHEN activity = 'access' AND subresource = 'token' THEN 'to get a token of ' || coalesce(namespace || '/' || name, 'an account')
      WHEN activity = 'access' THEN 'for ' || resource || '/' || subresource
      WHEN activity = 'secret' THEN 'to ' || verb || ' secrets'
      WHEN activity = 'rbac' THEN 'to ' || verb || ' ' || resource
      ELSE 'to ' || verb || ' ' || resource || coalesce(' ' || name, '') || ' without an owner'
    END AS how
  FROM events
  WHERE identity_kind = 'controller' AND activity <> 'read' AND outcome NOT IN ('denied_authn', 'dry_run')
    AND (
      impersonated_username IS NOT NULL
      OR (activity = 'access' AND subresource IN ('exec', 'attach', 'portforward', 'proxy')
        -- The API server requests the OpenAPI documents and metrics of services.
        AND username <> 'system:apiserver')
      OR (activity = 'access' AND subresource = 'token'
        AND username NOT IN ('system:kube-controller-manager', 'system:cloud-controller-manager', 'system:apiserver'))
      OR (activity = 'secret' AND verb IN ('get', 'list')
        AND username IN ('system:kube-scheduler', 'system:serviceaccount:kube-system:replicaset-controller',
          'system:serviceaccount:kube-system:deployment-controller', 'system:serviceaccount:kube-system:daemon-set-controller',
          'system:serviceaccount:kube-system:job-controller', 'system:serviceaccount:kube-system:cronjob-controller',
          'system:serviceaccount:kube-system:statefulset-controller', 'system:serviceaccount:kube-system:replication-controller',
          'system:serviceaccount:kube-system:disruption-controller', 'system:serviceaccount:kube-system:endpoint-controller',
          'system:serviceaccount:kube-system:endpointslice-controller', 'system:serviceaccount:kube-system:node-controller',
          'system:serviceaccount:kube-system:horizontal-pod-autoscaler', 'system:serviceaccount:kube-system:pod-garbage-collector',
          'system:serviceaccount:kube-system:ttl-controller', 'system:serviceaccount:kube-system:service-controller'))
      OR (activity = 'rbac' AND api_group = 'rbac.authorization.k8s.io' AND verb IN ('create', 'update', 'patch')
        AND username NOT IN ('system:apiserver', 'system:serviceaccount:kube-system:clusterrole-aggregation-controller',
          'system:serviceaccount:kube-system:generic-garbage-collector', 'system:serviceaccount:kube-system:namespace-controller',
          'system:serviceaccount:kube-system:storage-version-migrator-controller', 'system:kube-controller-manager'))
      -- These two write only owners and finalizers of roles and bindings.
      OR (activity = 'rbac' AND api_group = 'rbac.authorization.k8s.io' AND verb IN ('create', 'update', 'patch')
        AND username IN ('system:serviceaccount:kube-system:generic-garbage-collector', 'system:serviceaccount:kube-system:namespace-controller')
        AND (verb = 'create' OR regexp_like(coalesce(request_object, ''), '["/](rules|subjects|roleRef|aggregationRule)["/]')))
      OR (activity = 'rbac' AND username = 'system:serviceaccount:kube-system:clusterrole-aggregation-controller'
        AND (resource <> 'clusterroles' OR verb NOT IN ('update', 'patch', 'get', 'list', 'watch')
          OR regexp_like(coalesce(request_object, ''), '["/](subjects|roleRef)["/]')))
      -- A patch of what a pod runs and may do: controllers change only counts, labels and owners.
      OR (activity = 'workload' AND verb = 'patch' AND subresource IS NULL AND workload IS NOT NULL AND username <> 'system:apiserver'
        AND regexp_like(coalesce(request_object, ''), '["/](image|command|args|securityContext|hostPID|hostNetwork|hostIPC|hostPath|env|envFrom|serviceAccountName|volumes)["/]'))
      OR (activity = 'workload' AND created AND subresource IS NULL AND workload IS NOT NULL
        AND workload['body_source'] IN ('request', 'response')
        AND NOT coalesce(controller_makes(username, verb, resource, workload['owner']['kind']), false))
      OR (activity = 'workload' AND created AND subresource IS NULL AND username = 'system:kube-scheduler')
    )
)
SELECT
  array_agg(event_id ORDER BY time, event_id) AS event_id,
  username || ' works from ' || coalesce(client_ip, '?') || ' ' || string_agg(DISTINCT how, '; ') || ': ' || count(DISTINCT event_id)
    || ' requests' AS reason
FROM (SELECT * FROM by_client UNION ALL SELECT * FROM by_home UNION ALL SELECT * FROM by_token UNION ALL SELECT * FROM by_act)
GROUP BY cluster, username, client_ip
