-- One row per subject of a binding and period in which it was bound: granted before the end of the scope, and not
-- revoked before its start. `namespace` is that of the binding; null means cluster-wide. `revoked_at` is null while
-- the grant is active. `granted_by` is the effective user after impersonation; the event has the authenticated user.
-- A binding whose body is not in the log yields no grant.
SELECT
  cluster,
  subject['kind'] AS subject_kind,
  subject['namespace'] AS subject_namespace,
  subject['name'] AS subject_name,
  namespace,
  name AS binding,
  granted['role_kind'] AS role_kind,
  granted['role_name'] AS role_name,
  time AS granted_at,
  effective_username AS granted_by,
  event_id AS grant_event_id,
  granted['revoked_at'] AS revoked_at,
  granted['revoked_by'] AS revoked_by,
  granted['revoke_event_id'] AS revoke_event_id
FROM (
  SELECT
    *,
    grants(
      event_id, time, act, resource, namespace, name, role_kind, role_name,
      subject IS NOT NULL, subject['kind'], subject['namespace'], subject['name'], adds, effective_username
    ) OVER (PARTITION BY cluster ORDER BY time, event_id) AS granted
  FROM (
    SELECT
      cluster, event_id, time, CASE WHEN created THEN 'create' ELSE verb END AS act, resource, namespace, name, effective_username,
      rbac['role_kind'] AS role_kind,
      rbac['role_name'] AS role_name,
      -- A JSON Patch of single subjects, whose result is not in the log.
      verb = 'patch' AND NOT created AND rbac['body_source'] = 'patch' AND coalesce(rbac['amends'], false) AS adds,
      unnest(CASE
        WHEN cardinality(rbac['subjects']) > 0 THEN rbac['subjects']
        ELSE make_array(NULL)
      END) AS subject
    FROM events_known
    WHERE activity = 'rbac'
      AND api_group IN ('rbac.authorization.k8s.io', 'authorization.openshift.io')
      AND resource IN ('rolebindings', 'clusterrolebindings')
      AND subresource IS NULL
      AND outcome = 'allowed'
      -- A delete without a response may have failed.
      AND NOT (verb IN ('delete', 'deletecollection') AND coalesce(outcome_uncertain, false))
      AND (rbac IS NOT NULL OR verb IN ('delete', 'deletecollection'))
  )
)
WHERE granted IS NOT NULL
  AND ({from} IS NULL OR granted['revoked_at'] IS NULL OR granted['revoked_at'] >= {from})
