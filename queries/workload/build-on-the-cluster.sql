/*
id: build-on-the-cluster
title: OpenShift build created or started
severity: low
confidence: medium
risk: 12
attack: [T1610, T1612, T1525]
tactics: [Execution, Persistence]
description: >-
  An OpenShift build or build configuration is written, or a build is started. It runs code from its source in a
  privileged pod on a node, and produces an image that others run. A build with a custom builder image
  (`customStrategy`) and any build in a platform namespace are medium; a build with the socket of the container runtime
  (`exposeDockerSocket`) is high.
blind_spots: The source of the build.
false_positives:
  - Developers and pipelines that build on the cluster
triage:
  - "SELECT time, username, verb, resource, name, outcome, request_object FROM events WHERE event_id = '<event_id>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time"
references:
  - https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/builds_using_buildconfig/understanding-image-builds
  - https://attack.mitre.org/techniques/T1612/
covers: [WL-036]
controls: [AIS-06]
*/
SELECT
  event_id,
  CASE
    WHEN contains(body, '"exposeDockerSocket":true') THEN 'high'
    WHEN contains(body, '"customStrategy":{') OR platform.namespace IS NOT NULL THEN 'medium'
    ELSE 'low'
  END AS severity,
  coalesce(username, 'an unknown identity') || CASE
    WHEN subresource IS NOT NULL THEN ' starts a build of '
    WHEN created THEN ' makes '
    ELSE ' changes '
  END || resource || ' ' || coalesce(name, '') || coalesce(' in ' || written.namespace, '') AS reason
FROM (
  SELECT *, regexp_replace(concat_ws(' ', request_object, response_object), '\s*([:{])\s*', '\1', 'g') AS body
  FROM events
  WHERE activity IN ('write', 'workload') AND api_group = 'build.openshift.io' AND outcome = 'allowed'
    AND resource IN ('builds', 'buildconfigs') AND verb IN ('create', 'update', 'patch')
    AND (subresource IS NULL OR subresource IN ('instantiate', 'instantiatebinary', 'clone'))
    AND identity_kind IN ('human', 'service_account', 'anonymous')
    AND NOT coalesce(service_account_namespace IN ('openshift-infra', 'openshift-controller-manager', 'openshift-apiserver'), false)
) AS written
LEFT JOIN system_namespaces AS platform ON written.namespace LIKE platform.namespace
