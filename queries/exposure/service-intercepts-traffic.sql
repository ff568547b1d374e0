/*
id: service-intercepts-traffic
aliases: [service-with-external-address, service-under-another-name]
title: Service with externalIPs or an ExternalName of a protected host
severity: medium
confidence: medium
risk: 35
attack: [T1557, T1133, T1090, T1552.005]
tactics: [Credential Access, Persistence, Command and Control]
description: >-
  A Service has external addresses (externalIPs): every node sends traffic for such an address to the Service's pods, so
  the writer can intercept the traffic of others (CVE-2020-8554). Or a Service of type ExternalName points to a cloud
  metadata service, the API server or a service in a system namespace: programs and proxies that trust cluster names are
  redirected there.
blind_spots: >-
  Services whose bodies are not logged. Addresses in the status, which few identities may write. Other names that
  resolve to such a host. Writes logged at Metadata level, which show no type.
false_positives:
  - Clusters without load balancers that publish services this way
  - Aliases of the API server for programs that cannot be configured
triage:
  - >-
    SELECT time, username, verb, namespace, name, type, external_name FROM services WHERE name = '<name>' ORDER BY time
  - >-
    SELECT time, username, verb, namespace, name, hosts FROM ingresses WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/services-networking/service/#external-ips
  - https://github.com/kubernetes/kubernetes/issues/97076
  - https://attack.mitre.org/techniques/T1552/005/
  - https://kubernetes.io/docs/concepts/services-networking/service/#externalname
covers: [IA-011, IA-010]
controls: [IPY-03, IAM-16]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' points service ' || coalesce(namespace || '/', '') || coalesce(name, '*')
    || CASE WHEN cardinality(external_ips) > 0 THEN ' to the addresses ' || array_to_string(external_ips, ', ') ELSE ' to ' || external_name END AS reason
FROM services
WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node')
  AND (cardinality(external_ips) > 0 OR coalesce(type, 'ExternalName') = 'ExternalName' AND regexp_like(external_name, '^(169\.254\.169\.254|169\.254\.170\.\d+|100\.100\.100\.200|192\.0\.0\.192|.*metadata\.(google\.)?internal|metadata|instance-data(\..*)?|metadata\.(azure|tencentyun)\..*|localhost|kubernetes(\.default.*)?|[^.]+\.kube-system(\..*)?)\.?$', 'i'))
