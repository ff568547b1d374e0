/*
id: openshift-build-or-image-stream
title: OpenShift build or image stream changed
aliases: [build-on-the-cluster, image-stream-changed]
severity: low
confidence: medium
risk: 12
attack: [T1610, T1612, T1525]
tactics: [Execution, Persistence]
description: >-
  An OpenShift build or build configuration is written, or a build is started: it runs code from its source in a
  privileged pod on a node, and produces an image that others run. Or an image stream or one of its tags is written:
  workloads that refer to it get another image without a change of their own. Severity is medium for a custom builder
  image (`customStrategy`) and in a platform namespace (`openshift` has the base images for builds), and high for a
  build with the socket of the container runtime (`exposeDockerSocket`).
blind_spots: The source of the build. Images pushed into the registry, which updates image streams itself.
false_positives:
  - Developers and pipelines that build on the cluster or tag images
triage:
  - >-
    SELECT time, username, verb, resource, name, outcome, request_object FROM events WHERE event_id = '<event_id>'
references:
  - https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/builds_using_buildconfig/understanding-image-builds
  - https://attack.mitre.org/techniques/T1612/
  - https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/images/managing-image-streams
  - https://attack.mitre.org/techniques/T1525/
covers: [WL-036]
controls: [AIS-06]
*/
WITH written AS (
  SELECT *, regexp_replace(concat_ws(' ', request_object, response_object), '\s*([:{])\s*', '\1', 'g') AS body
  FROM events
  WHERE activity IN ('write', 'workload') AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch')
    AND identity_kind IN ('human', 'service_account', 'anonymous')
    AND ((api_group = 'build.openshift.io' AND resource IN ('builds', 'buildconfigs')
        AND (subresource IS NULL OR subresource IN ('instantiate', 'instantiatebinary', 'clone'))
        AND NOT coalesce(service_account_namespace IN ('openshift-infra', 'openshift-controller-manager', 'openshift-apiserver'), false))
      OR (api_group = 'image.openshift.io' AND subresource IS NULL
        AND resource IN ('imagestreams', 'imagestreamtags', 'imagetags', 'imagestreamimports', 'imagestreammappings')
        -- Accounts of platform namespaces, whose token an attacker would need.
        AND NOT coalesce(starts_with(service_account_namespace, 'openshift-'), false)))
)
SELECT
  event_id,
  CASE
    WHEN api_group = 'build.openshift.io' AND contains(body, '"exposeDockerSocket":true') THEN 'high'
    WHEN platform.namespace IS NOT NULL OR (api_group = 'build.openshift.io' AND contains(body, '"customStrategy":{')) THEN 'medium'
    ELSE 'low'
  END AS severity,
  coalesce(username, 'an unknown identity') || CASE
    WHEN subresource IS NOT NULL THEN ' starts a build of '
    WHEN created THEN ' creates '
    ELSE ' changes '
  END || resource || ' ' || coalesce(name, '') || coalesce(' in ' || written.namespace, '') AS reason
FROM written
LEFT JOIN system_namespaces AS platform ON written.namespace LIKE platform.namespace
