/*
id: service-of-unknown-type
title: Service of unknown type created by a person
severity: low
confidence: low
risk: 5
attack: [T1133]
tactics: [Persistence, Initial Access]
description: >-
  A person creates a Service and the log does not contain its body. It may be exposed outside the cluster (NodePort,
  LoadBalancer, externalIPs). Where bodies are logged, service-exposed reports such Services.
blind_spots: Services changed later, where the log does not show the change.
false_positives:
  - Developers who publish an application inside the cluster
triage:
  - >-
    SELECT time, verb, namespace, name, request_uri, user_agent FROM events WHERE resource = 'services' AND username = '<identity>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, outcome, client_ip, user_agent FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
references:
  - https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types
covers: [IA-011]
controls: [IPY-03]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' creates service ' || coalesce(namespace || '/', '') || coalesce(name, '*')
    || coalesce(' with ' || field_manager, '') || ', whose type is not in the log' AS reason
FROM events
WHERE activity = 'write' AND resource = 'services' AND api_group IS NULL AND subresource IS NULL AND created
  AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous')
  AND request_object IS NULL AND response_object IS NULL
