-- One row a write of a workload, of a role or binding, or of an admission webhook or policy that was carried out and whose
-- body the log shows or has lost: `is_cut`. Writes that are not logged with bodies are left out.
SELECT
  event_id, cluster, time, activity, username, identity_kind, verb, api_group, resource, subresource, namespace, name,
  truncated AND coalesce(request_object, response_object) IS NULL
    OR truncated AND coalesce(workload['body_source'], rbac['body_source'], 'none') = 'none' AS is_cut
FROM events{history}
WHERE verb IN ('create', 'update', 'patch') AND outcome = 'allowed'
  AND coalesce(subresource, '') NOT IN ('status', 'scale', 'binding', 'eviction', 'token', 'exec', 'attach', 'portforward', 'proxy')
  AND (
    activity = 'workload'
    OR activity = 'rbac' AND api_group = 'rbac.authorization.k8s.io'
    OR activity = 'write' AND api_group = 'admissionregistration.k8s.io'
  )
  AND (truncated OR request_object IS NOT NULL OR response_object IS NOT NULL)
