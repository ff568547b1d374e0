/*
id: service-under-another-name
title: ExternalName service that points to a protected host
severity: medium
confidence: medium
risk: 25
attack: [T1090, T1552.005]
tactics: [Command and Control, Credential Access]
description: >-
  A Service of type ExternalName is written that points to a cloud metadata service, the API server or a service in a
  system namespace. Programs and proxies that trust cluster names are redirected there.
blind_spots: Other names that resolve to such a host. Writes logged at Metadata level, which show no type.
false_positives:
  - Aliases of the API server for programs that cannot be configured
triage:
  - "SELECT time, username, verb, namespace, name, type, external_name FROM services WHERE name = '<name>' ORDER BY time"
  - "SELECT time, username, verb, namespace, name, hosts FROM ingresses WHERE namespace = '<namespace>' ORDER BY time"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://attack.mitre.org/techniques/T1552/005/
  - https://kubernetes.io/docs/concepts/services-networking/service/#externalname
covers: [IA-010]
controls: [IAM-16]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' points service ' || coalesce(namespace || '/', '') || coalesce(name, '*') || ' to ' || external_name AS reason
FROM services
WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node')
  AND coalesce(type, 'ExternalName') = 'ExternalName'
  AND regexp_like(external_name, '^(169\.254\.169\.254|169\.254\.170\.\d+|100\.100\.100\.200|192\.0\.0\.192|.*metadata\.(google\.)?internal|metadata|instance-data(\..*)?|metadata\.(azure|tencentyun)\..*|localhost|kubernetes(\.default.*)?|[^.]+\.kube-system(\..*)?)\.?$', 'i')
