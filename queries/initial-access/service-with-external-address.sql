/*
id: service-with-external-address
title: Service with externalIPs
severity: medium
confidence: high
risk: 35
attack: [T1557, T1133]
tactics: [Credential Access, Persistence]
description: >-
  A Service has external addresses (externalIPs): every node sends traffic for such an address to the Service's pods. An
  identity that may write this can intercept the traffic of others (CVE-2020-8554).
blind_spots: Services whose bodies are not logged. Addresses in the status, which few identities may write.
false_positives:
  - Clusters without load balancers that publish services this way
triage:
  - >-
    SELECT time, username, verb, namespace, name, type, ports, external_ips FROM services WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, namespace, name, type FROM services WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/services-networking/service/#external-ips
  - https://github.com/kubernetes/kubernetes/issues/97076
covers: [IA-011]
controls: [IPY-03]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' gives service ' || coalesce(namespace || '/', '') || coalesce(name, '*') || ' the addresses '
    || array_to_string(external_ips, ', ') AS reason
FROM services
WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node') AND cardinality(external_ips) > 0
