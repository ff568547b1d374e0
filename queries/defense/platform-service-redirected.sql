/*
id: platform-service-redirected
title: Platform service redirected
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1557, T1565]
tactics: [Credential Access, Collection, Impact]
description: >-
  The Service of the cluster's DNS or API, or one behind an admission webhook or an aggregated API, gets another
  selector, external name or endpoints by hand, or is deleted. The new target receives all requests and may approve
  them. security-agent-configuration-changed covers Services in the namespaces of security products.
blind_spots: Writes logged at Metadata level. Webhooks set up before the log begins.
false_positives:
  - Migrations from one DNS server to another
triage:
  - SELECT time, username, verb, namespace, name, request_object FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, selector, external_name, cluster_ip FROM services WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1557/
covers: [DE-007]
*/
WITH platform AS (
  SELECT NULL AS cluster, 'kube-system' AS namespace, unnest(make_array('kube-dns', 'coredns', 'rke2-coredns-rke2-coredns', 'metrics-server', 'konnectivity-server')) AS name, 'the platform' AS serves
  UNION ALL
  SELECT NULL, 'default', 'kubernetes', 'the API'
  UNION ALL
  SELECT NULL, 'openshift-dns', 'dns-default', 'the platform'
  UNION ALL
  SELECT DISTINCT cluster, service_namespace, service_name, 'an admission webhook'
  FROM (SELECT * FROM webhooks UNION ALL SELECT * FROM webhooks_history)
  WHERE service_name IS NOT NULL AND outcome = 'allowed'
  UNION ALL
  SELECT DISTINCT
    cluster, coalesce(json_get_str(request_object, 'spec', 'service', 'namespace'), json_get_str(response_object, 'spec', 'service', 'namespace')),
    coalesce(json_get_str(request_object, 'spec', 'service', 'name'), json_get_str(response_object, 'spec', 'service', 'name')), 'an aggregated API'
  FROM all_events
  WHERE activity = 'write' AND resource = 'apiservices' AND outcome = 'allowed'
),
written AS (
  SELECT
    *,
    lag(selector) IGNORE NULLS OVER (PARTITION BY cluster, resource, namespace, name ORDER BY time, event_id) AS selector_before
  FROM (
    SELECT
      event_id, time, cluster, username, identity_kind, service_account_namespace, verb, status_code, resource, namespace, name, request_object,
      coalesce(json_get_json(response_object, 'spec', 'selector'), json_get_json(request_object, 'spec', 'selector')) AS selector, true AS in_scope
    FROM events
    WHERE activity = 'write' AND outcome = 'allowed' AND subresource IS NULL AND resource IN ('services', 'endpoints', 'endpointslices')
      AND identity_kind <> 'controller'
    UNION ALL
    SELECT
      event_id, time, cluster, username, identity_kind, service_account_namespace, verb, status_code, resource, namespace, name, request_object,
      coalesce(json_get_json(response_object, 'spec', 'selector'), json_get_json(request_object, 'spec', 'selector')) AS selector, false AS in_scope
    FROM events_history
    WHERE activity = 'write' AND outcome = 'allowed' AND subresource IS NULL AND resource = 'services' AND identity_kind <> 'controller'
  )
)
SELECT DISTINCT
  event_id,
  verb || ' of ' || resource || ' ' || written.namespace || '/' || written.name || ', which serves ' || serves || ', by ' || coalesce(username, 'an unknown identity')
    || coalesce(': selector ' || selector_before || ' changed to ' || selector, '') AS reason
FROM written
JOIN platform
  ON platform.namespace = written.namespace AND (platform.cluster IS NULL OR platform.cluster = written.cluster)
  -- EndpointSlices are named after their Service.
  AND (platform.name = written.name OR (resource = 'endpointslices' AND starts_with(written.name, platform.name || '-')))
LEFT JOIN security_namespaces AS guarded ON guarded.namespace = written.namespace
WHERE in_scope AND guarded.namespace IS NULL
  -- The API server publishes itself, and a product maintains its own Service: an attacker needs the token of an account
  -- in its namespace.
  AND NOT (username = 'system:apiserver' AND written.name LIKE 'kubernetes%')
  AND (written.namespace = 'kube-system' OR service_account_namespace IS DISTINCT FROM written.namespace)
  AND CASE
    WHEN verb = 'delete' THEN identity_kind IN ('human', 'anonymous', 'node')
    WHEN resource = 'services' THEN verb IN ('update', 'patch') AND coalesce(status_code, 200) <> 201
      AND ((selector IS DISTINCT FROM selector_before) OR regexp_like(request_object, 'externalName'))
      AND (verb = 'update' OR regexp_like(request_object, 'selector|externalName|/spec"'))
    ELSE verb IN ('create', 'update', 'patch') AND identity_kind IN ('human', 'anonymous', 'node')
  END
