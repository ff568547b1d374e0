/*
id: image-stream-changed
title: OpenShift image stream changed
severity: low
confidence: low
risk: 10
attack: [T1525]
tactics: [Persistence]
description: >-
  An image stream or one of its tags is written by a person or an account. Workloads that refer to it get another image
  without a change of their own. In platform namespaces (`openshift` has the base images for builds) it is medium.
blind_spots: Images pushed into the registry, which updates image streams itself.
false_positives:
  - Developers and pipelines that tag images
triage:
  - "SELECT time, username, verb, resource, name, outcome, request_object FROM events WHERE event_id = '<event_id>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time"
references:
  - https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/images/managing-image-streams
  - https://attack.mitre.org/techniques/T1525/
covers: [WL-036]
controls: [AIS-06]
*/
SELECT
  event_id,
  CASE WHEN platform.namespace IS NOT NULL THEN 'medium' ELSE 'low' END AS severity,
  coalesce(username, 'an unknown identity') || ' writes ' || resource || ' ' || coalesce(name, '') || coalesce(' in ' || events.namespace, '') AS reason
FROM events
LEFT JOIN system_namespaces AS platform ON events.namespace LIKE platform.namespace
WHERE activity IN ('write', 'workload') AND api_group = 'image.openshift.io' AND subresource IS NULL AND outcome = 'allowed'
  AND resource IN ('imagestreams', 'imagestreamtags', 'imagetags', 'imagestreamimports', 'imagestreammappings')
  AND verb IN ('create', 'update', 'patch') AND identity_kind IN ('human', 'service_account', 'anonymous')
  -- Accounts of platform namespaces, whose token an attacker would need.
  AND NOT coalesce(starts_with(service_account_namespace, 'openshift-'), false)
