/*
id: dashboard-exposed
title: Administrative interface exposed outside the cluster
severity: high
confidence: medium
risk: 50
attack: [T1133, T1190]
tactics: [Initial Access]
description: >-
  A Service of type NodePort or LoadBalancer, or an Ingress, exposes an interface that controls the cluster, its data or
  the code that runs in it, such as the Kubernetes Dashboard, Argo, Kubeflow, Jupyter or Jenkins. Such interfaces were
  the entry point into many clusters. Services restricted to source ranges, and Ingresses with TLS, are left out.
blind_spots: Interfaces with other names. Bodies that are not logged.
false_positives:
  - Interfaces behind an authenticating proxy, and clusters on private networks
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
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' exposes ' || min(product) || ' outside the cluster with ' || exposed.kind || ' ' || coalesce(namespace || '/', '')
    || coalesce(name, '*') AS reason
FROM exposed
JOIN exposed_dashboards ON regexp_like(target, '(^|[-.])' || word || '([-.]|$)')
GROUP BY event_id, username, impersonated_username, namespace, name, exposed.kind
