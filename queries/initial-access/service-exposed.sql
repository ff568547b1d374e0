/*
id: service-exposed
title: Service exposed outside the cluster
severity: low
confidence: high
risk: 12
attack: [T1133]
tactics: [Persistence, Initial Access]
description: A Service of type NodePort or LoadBalancer is written. Its pods can be reached from outside the cluster.
blind_spots: >-
  Services whose bodies are not logged (see service-of-unknown-type), and patches that do not change the type.
false_positives:
  - Ingress controllers and published applications
triage:
  - >-
    SELECT time, username, verb, namespace, name, type, ports, external_ips FROM services WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, namespace, name, type FROM services WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/services-networking/service/
  - https://attack.mitre.org/techniques/T1133/
covers: [IA-011]
controls: [IPY-03]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' exposes service ' || coalesce(namespace || '/', '') || coalesce(name, '*') || ' as ' || type
    || CASE WHEN cardinality(load_balancer_source_ranges) > 0
      THEN ' to ' || array_to_string(load_balancer_source_ranges, ', ') ELSE '' END AS reason
FROM services
WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node') AND type IN ('NodePort', 'LoadBalancer')
