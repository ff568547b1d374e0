/*
id: service-exposed
aliases: [service-of-unknown-type, ingress-without-tls]
title: Service or Ingress exposed outside the cluster
severity: low
confidence: medium
risk: 12
attack: [T1133, T1040]
tactics: [Persistence, Initial Access, Credential Access]
description: >-
  A Service of type NodePort or LoadBalancer is written: its pods can be reached from outside the cluster. A Service
  that a person creates and whose body is not in the log may be one. An Ingress without TLS, whose traffic can be read
  in transit, is info.
blind_spots: >-
  Patches that do not change the type. Services changed later, where the log does not show the change. TLS terminated by
  a load balancer in front, or by the controller's default certificate.
false_positives:
  - Ingress controllers and published applications
  - Developers who publish an application inside the cluster
  - Internal applications, and controllers with a default certificate
triage:
  - >-
    SELECT time, verb, namespace, name, request_uri, user_agent FROM events WHERE resource = 'services' AND username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, username, verb, namespace, name, hosts, tls_hosts FROM ingresses WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - SELECT time, username, name, hosts, has_tls FROM ingresses WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/services-networking/service/
  - https://attack.mitre.org/techniques/T1133/
  - https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types
  - https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
covers: [IA-011, IA-012]
controls: [IPY-03]
*/
SELECT
  event_id,
  'low' AS severity,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' exposes service ' || coalesce(namespace || '/', '') || coalesce(name, '*') || ' as ' || type
    || CASE WHEN cardinality(load_balancer_source_ranges) > 0
      THEN ' to ' || array_to_string(load_balancer_source_ranges, ', ') ELSE '' END AS reason
FROM services
WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node') AND type IN ('NodePort', 'LoadBalancer')
UNION ALL
-- Where the log has no body, the type is not known.
SELECT
  event_id,
  'low' AS severity,
  coalesce(username, 'an unknown identity') || ' creates service ' || coalesce(namespace || '/', '') || coalesce(name, '*')
    || coalesce(' with ' || field_manager, '') || ', whose type is not in the log' AS reason
FROM events
WHERE activity = 'write' AND resource = 'services' AND api_group IS NULL AND subresource IS NULL AND created
  AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous')
  AND request_object IS NULL AND response_object IS NULL
UNION ALL
SELECT
  event_id,
  'info' AS severity,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' writes Ingress ' || coalesce(namespace || '/', '') || coalesce(name, '*') || ' without TLS for '
    || coalesce(nullif(array_to_string(hosts, ', '), ''), 'every host') AS reason
FROM ingresses
WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node') AND NOT has_tls
