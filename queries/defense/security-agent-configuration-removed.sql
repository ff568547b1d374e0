/*
id: security-agent-configuration-removed
title: Security agent configuration removed
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  A ConfigMap, secret, service or account of a security product is deleted, or a ConfigMap is written without any key.
  The rules are gone, or the API server no longer reaches the product.
blind_spots: >-
  Changed rules. At Metadata level, an emptied ConfigMap. Agents in namespaces that are not in the table
  security_namespaces.
false_positives:
  - Removal or upgrade of the product
triage:
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, verb, name, keys FROM config_maps WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1685/
covers: [DE-010]
*/
SELECT DISTINCT event_id, verb || ' of ' || resource || ' ' || coalesce(name, '') || ' in ' || events.namespace || ', a namespace of ' || product || ', by ' || coalesce(username, 'an unknown identity') AS reason
FROM events
JOIN security_namespaces ON events.namespace = security_namespaces.namespace
WHERE outcome = 'allowed' AND identity_kind IN ('human', 'anonymous', 'node', 'service_account', 'cloud_service_account')
  -- Products maintain their own objects.
  AND NOT (identity_kind = 'service_account' AND service_account_namespace = events.namespace)
  AND subresource IS NULL
  AND (
    (verb IN ('delete', 'deletecollection')
      AND resource IN ('configmaps', 'secrets', 'services', 'serviceaccounts', 'rolebindings', 'roles', 'endpoints', 'endpointslices'))
    OR (verb IN ('update', 'patch') AND resource = 'configmaps' AND config_map['body_source'] <> 'none' AND cardinality(config_map['keys']) = 0)
  )
