-- All events in scope, with columns derived from user name, token and user agent. Requests that an impersonation
-- proxy makes for a user are attributed to that user. An attacker with the token of such a proxy therefore appears as
-- the user that they name; impersonating a platform user or system:masters in this way remains visible as
-- impersonation.
SELECT
  {columns_by_user},
  proxy_username,
  coalesce(impersonated_username, username) AS effective_username,
  CASE WHEN proxy_username IS NULL AND starts_with(username, 'system:serviceaccount:') THEN split_part(username, ':', 3) END
    AS service_account_namespace,
  CASE WHEN proxy_username IS NULL AND starts_with(username, 'system:serviceaccount:') THEN split_part(username, ':', 4) END
    AS service_account_name,
  CASE WHEN proxy_username IS NULL THEN user_extra['authentication.kubernetes.io/pod-name'][1] END AS token_pod_name,
  CASE WHEN proxy_username IS NULL THEN user_extra['authentication.kubernetes.io/node-name'][1] END AS token_node_name,
  CASE WHEN proxy_username IS NULL THEN user_extra['authentication.kubernetes.io/credential-id'][1] END AS token_credential_id,
  user_agent_tool(user_agent) AS user_agent_tool,
  user_agent_version(user_agent) AS user_agent_version,
  -- Server-side apply creates an object by a patch, and some kinds are created by an update; the response status is
  -- then 201.
  coalesce(verb = 'create' OR (verb IN ('update', 'patch') AND status_code = 201), false) AS created
FROM (
  SELECT
    *,
    CASE
      WHEN impersonated_username IS NOT NULL AND username IN ({proxies}) AND NOT starts_with(impersonated_username, 'system:')
        AND coalesce(NOT array_has(impersonated_groups, 'system:masters'), true) THEN username
    END AS proxy_username
  FROM lake
)
