-- One row per successful write of a workload, role, binding, certificate signing request, admission webhook or policy,
-- or PersistentVolume whose body is in the log or was truncated (`is_cut`). Writes logged without bodies are
-- left out.
SELECT
  event_id, cluster, time, activity, username, identity_kind, verb, api_group, resource, subresource, namespace, name,
  truncated AND NOT is_shown AS is_cut
FROM (
  SELECT
    *,
    -- Without the bodies, which are slow to read.
    coalesce(
      workload['body_source'], rbac['body_source'], persistent_volume['body_source'], certificate_request['body_source'], 'none'
    ) <> 'none' OR webhooks IS NOT NULL AS is_shown
  FROM events
  WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed'
    AND coalesce(subresource, '') NOT IN ('status', 'scale', 'binding', 'eviction', 'token', 'exec', 'attach', 'portforward', 'proxy')
    AND (
      activity = 'workload'
      OR activity = 'rbac' AND api_group IN ('rbac.authorization.k8s.io', 'certificates.k8s.io')
      OR activity = 'write' AND api_group IS NULL AND resource = 'persistentvolumes'
      OR activity IN ('write', 'workload') AND api_group = 'admissionregistration.k8s.io'
    )
)
WHERE truncated OR is_shown
UNION ALL
-- Other kinds that detections read: security objects, objects that control workloads, and the configuration in system
-- and security namespaces.
SELECT
  event_id, written.cluster, time, activity, username, identity_kind, verb, written.api_group, written.resource, subresource,
  written.namespace, name, true AS is_cut
FROM (
  SELECT * FROM events
  WHERE truncated AND request_object IS NULL AND response_object IS NULL AND activity = 'write' AND subresource IS NULL
    AND verb IN ('create', 'update', 'patch') AND outcome = 'allowed' AND (api_group IS NULL OR api_group <> 'admissionregistration.k8s.io')
    AND resource <> 'persistentvolumes'
) AS written
LEFT JOIN (SELECT DISTINCT coalesce(api_group, '') AS api_group, resource FROM guard_kinds) AS guard
  ON guard.api_group = coalesce(written.api_group, '') AND written.resource LIKE guard.resource
LEFT JOIN (SELECT DISTINCT api_group, resource FROM controlling_kinds) AS controlling
  ON controlling.api_group = written.api_group AND (controlling.resource = written.resource OR controlling.resource = '*')
LEFT JOIN (SELECT DISTINCT namespace FROM security_namespaces) AS guarded ON guarded.namespace = written.namespace
WHERE guard.resource IS NOT NULL OR controlling.resource IS NOT NULL
  OR (written.resource IN ('configmaps', 'services') AND (guarded.namespace IS NOT NULL OR written.namespace = 'kube-system'))
