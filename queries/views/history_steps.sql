-- The steps of sequences, one row per step of a person or an account in the scope: `permissions asked`, `secrets
-- listed`, `denied`, `rbac changed`, `created` and `written` (of workloads), `deleted`, `entered` (exec, attach). A
-- sequence is a window over it: PARTITION BY cluster, identity (and other columns that both steps share) ORDER BY time,
-- event_id.
SELECT
  event_id, time, cluster, identity_kind, coalesce(impersonated_username, username) AS identity, client_ip, step, resource,
  namespace, name, api_group,
  concat(
    CASE WHEN subresource IS NULL THEN resource ELSE resource || '/' || subresource END, coalesce(' ' || name, ''),
    coalesce(' in ' || namespace, '')
  ) AS what
FROM (
  SELECT
    *,
    CASE
      WHEN outcome = 'denied_authz' THEN 'denied'
      WHEN outcome IS DISTINCT FROM 'allowed' THEN NULL
      WHEN verb = 'create' AND resource IN ('selfsubjectrulesreviews', 'selfsubjectaccessreviews')
        THEN 'permissions asked'
      WHEN activity = 'secret' AND verb = 'list' THEN 'secrets listed'
      WHEN activity = 'rbac' AND api_group IN ('rbac.authorization.k8s.io', 'authorization.openshift.io') AND verb IN ('create', 'update', 'patch')
        THEN 'rbac changed'
      WHEN resource = 'pods' AND subresource IN ('exec', 'attach') THEN 'entered'
      WHEN activity = 'workload' AND workload IS NOT NULL AND subresource IS NULL AND created THEN 'created'
      WHEN activity = 'workload' AND workload IS NOT NULL AND subresource IS NULL AND verb IN ('update', 'patch') THEN 'written'
      WHEN activity = 'workload' AND subresource IS NULL AND verb = 'delete' THEN 'deleted'
    END AS step
  FROM events
  WHERE identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
)
WHERE step IS NOT NULL
