/*
id: security-agent-configuration-changed
aliases: [security-agent-configuration-removed]
title: Security agent configuration changed or removed
severity: medium
routine: low
confidence: low
risk: 30
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  An identity other than the product changes a ConfigMap, Service or endpoint of a security product: its rules, or the
  route to it. Severity is medium where requests no longer reach the product (selector or external name of its Service,
  or manual endpoints), where a policy engine is set to ignore every object or every user, and where a file of a
  ConfigMap is emptied or the ConfigMap loses more than half of its length. A deleted ConfigMap, secret, service or
  account of the product, or a ConfigMap without any key, is medium too; other changes are low.
blind_spots: >-
  Agents in namespaces that are not in the table security_namespaces. Changed rules of the same length. At Metadata
  level, an emptied ConfigMap.
false_positives:
  - Maintenance of rules
  - Removal or upgrade of the product
triage:
  - SELECT time, username, verb, name, keys FROM config_maps WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1685/
covers: [DE-010]
*/
WITH written AS (
  SELECT
    event.*, product,
    lag(length(data)) OVER (PARTITION BY cluster, resource, event.namespace, name ORDER BY time, event_id) AS length_before,
    lag(selector) IGNORE NULLS OVER (PARTITION BY cluster, resource, event.namespace, name ORDER BY time, event_id) AS selector_before
  FROM (
    SELECT
      event_id, time, cluster, username, identity_kind, service_account_namespace, verb, activity, resource, namespace, name,
      request_object, true AS in_scope, coalesce(json_get_json(response_object, 'spec', 'selector'), json_get_json(request_object, 'spec', 'selector')) AS selector,
      json_get_json(request_object, 'data') AS data
    FROM events
    WHERE activity IN ('write', 'workload') AND outcome = 'allowed' AND subresource IS NULL
      AND resource IN ('configmaps', 'services', 'endpoints', 'endpointslices')
    UNION ALL
    SELECT
      event_id, time, cluster, username, identity_kind, service_account_namespace, verb, activity, resource, namespace, name,
      request_object, false AS in_scope, coalesce(json_get_json(response_object, 'spec', 'selector'), json_get_json(request_object, 'spec', 'selector')) AS selector,
      json_get_json(request_object, 'data') AS data
    FROM events_history
    WHERE activity IN ('write', 'workload') AND outcome = 'allowed' AND subresource IS NULL
      AND resource IN ('services', 'configmaps')
  ) AS event
  JOIN security_namespaces ON event.namespace = security_namespaces.namespace
)
SELECT DISTINCT
  event_id,
  verb || ' of ' || resource || ' ' || coalesce(name, '') || ' in ' || written.namespace || ', a namespace of ' || product || ', by '
    || coalesce(username, 'an unknown identity')
    || CASE WHEN sent_elsewhere THEN ': selector or external name changed' WHEN is_emptied THEN ': emptied' ELSE '' END AS reason,
  CASE
    WHEN sent_elsewhere OR resource IN ('endpoints', 'endpointslices') THEN 'medium'
    -- Kyverno: every kind, namespace and name; every user.
    WHEN resource = 'configmaps' AND regexp_like(request_object, '\[\*(/\*)*, *\*?, *\*?\]|exclude[A-Za-z]*" *: *"[^"]*(system:authenticated|system:serviceaccounts|\*)') THEN 'medium'
    WHEN is_emptied THEN 'medium'
    ELSE 'low'
  END AS severity
FROM (
  -- Where no previous version is known, nothing shows that the write keeps the selector.
  SELECT
    *,
    resource = 'services' AND ((selector IS DISTINCT FROM selector_before) OR regexp_like(request_object, 'externalName'))
      AND (verb = 'update' OR regexp_like(request_object, 'selector|externalName|/spec"')) AS sent_elsewhere,
    resource = 'configmaps' AND (
      regexp_like(data, '"[^"]*([.](ya?ml|conf|lua|json|toml|rego|lua|xml)|rules?|polic(y|ies)|config)" *: *"(\\[nrt]|\s|\[ *\]|[{] *[}]|---|null|#([^"\\]|\\[^n])*)*"')
      OR (verb = 'update' AND length(data) * 2 < length_before)) AS is_emptied
  FROM written
) AS written
WHERE in_scope AND verb IN ('update', 'patch') AND identity_kind IN ('human', 'anonymous', 'node', 'service_account', 'cloud_service_account')
  -- The product maintains its own objects: an attacker needs the token of an account in its namespace.
  AND service_account_namespace IS DISTINCT FROM written.namespace
UNION ALL
SELECT DISTINCT event_id, verb || ' of ' || resource || ' ' || coalesce(name, '') || ' in ' || events.namespace || ', a namespace of ' || product || ', by ' || coalesce(username, 'an unknown identity') AS reason, 'medium' AS severity
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
