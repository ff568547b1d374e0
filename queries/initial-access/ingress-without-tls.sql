/*
id: ingress-without-tls
title: Ingress without TLS
severity: info
confidence: high
risk: 3
attack: [T1040]
tactics: [Credential Access]
description: An Ingress without TLS is written. Its traffic, including passwords and cookies, can be read in transit.
blind_spots: TLS terminated by a load balancer in front, or by the controller's default certificate.
false_positives:
  - Internal applications, and controllers with a default certificate
triage:
  - >-
    SELECT time, username, verb, namespace, name, hosts, tls_hosts FROM ingresses WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, username, name, hosts, has_tls FROM ingresses WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
covers: [IA-012]
controls: [IPY-03]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' writes Ingress ' || coalesce(namespace || '/', '') || coalesce(name, '*') || ' without TLS for '
    || coalesce(nullif(array_to_string(hosts, ', '), ''), 'every host') AS reason
FROM ingresses
WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node') AND NOT has_tls
