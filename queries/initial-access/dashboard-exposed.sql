/*
id: dashboard-exposed
title: Administrative interface exposed outside the cluster
severity: high
confidence: medium
risk: 50
attack: [T1133, T1190]
tactics: [Initial Access]
description: >-
  A Service of type NodePort or LoadBalancer, or an Ingress, leads to a page that controls the cluster, its data or
  the code that runs in it, such as the Kubernetes Dashboard, Argo, Kubeflow, Jupyter or Jenkins. Such pages were
  the way into many clusters. Services that name the networks that may come, and Ingresses with TLS, are left out.
blind_spots: >-
  Pages under other names; bodies that are not logged.
false_positives:
  - Pages behind a proxy that asks for a sign-in, clusters on private networks
triage:
  - >-
    SELECT time, username, verb, namespace, name, type, ports, external_ips FROM services WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, namespace, name, type FROM services WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://microsoft.github.io/Threat-Matrix-for-Kubernetes/techniques/Exposed%20sensitive%20interfaces/
  - https://attack.mitre.org/techniques/T1133/
covers: [IA-013]
controls: [IPY-03]
*/
WITH exposed AS (
  SELECT
    event_id, username, impersonated_username, namespace, name, name AS target, 'service' AS kind
  FROM services
  WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node') AND type IN ('NodePort', 'LoadBalancer') AND NOT coalesce(cardinality(load_balancer_source_ranges) > 0, false)
  UNION ALL
  SELECT event_id, username, impersonated_username, namespace, name, unnest(backend_services) AS target, 'ingress' AS kind
  FROM ingresses
  WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node') AND NOT has_tls
)
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' opens ' || min(product) || ' to the outside by ' || exposed.kind || ' ' || coalesce(namespace || '/', '')
    || coalesce(name, '*') AS reason
FROM exposed
JOIN exposed_dashboards ON regexp_like(target, '(^|[-.])' || word || '([-.]|$)')
GROUP BY event_id, username, impersonated_username, namespace, name, exposed.kind
