-- One row a write of a workload, of a role, binding or certificate signing request, of an admission webhook or policy, or of a
-- PersistentVolume that was carried out and whose
-- body the log shows or has lost: `is_cut`. Writes that are not logged with bodies are left out.
SELECT
  event_id, cluster, time, activity, username, identity_kind, verb, api_group, resource, subresource, namespace, name,
  truncated AND NOT is_shown AS is_cut
FROM (
  SELECT
    *,
    -- Not the bodies themselves, which take long to read.
    coalesce(
      workload['body_source'], rbac['body_source'], persistent_volume['body_source'], certificate_request['body_source'], 'none'
    ) <> 'none' OR webhooks IS NOT NULL AS is_shown
  FROM events{history}
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
