-- Every record in scope, with what its user name, its token and its user agent say.
SELECT
  *,
  coalesce(impersonated_username, username) AS effective_username,
  CASE WHEN starts_with(username, 'system:serviceaccount:') THEN split_part(username, ':', 3) END
    AS service_account_namespace,
  CASE WHEN starts_with(username, 'system:serviceaccount:') THEN split_part(username, ':', 4) END
    AS service_account_name,
  user_extra['authentication.kubernetes.io/pod-name'][1] AS token_pod_name,
  user_extra['authentication.kubernetes.io/node-name'][1] AS token_node_name,
  user_extra['authentication.kubernetes.io/credential-id'][1] AS token_credential_id,
  user_agent_tool(user_agent) AS user_agent_tool,
  user_agent_version(user_agent) AS user_agent_version,
  -- A server-side apply makes an object by a patch, and some kinds are made by an update: the answer is 201 then.
  coalesce(verb = 'create' OR (verb IN ('update', 'patch') AND status_code = 201), false) AS created
FROM lake{history}
