-- One row per request, with the client's tool (the first product of its user agent, in lower case) and the tool's kind.
-- `writes_workload` is whether it writes a workload, not only its metadata.
SELECT
  event_id, audit_id, time, date, cluster, activity, username, identity_kind, user_groups, user_extra,
  impersonated_username, impersonated_groups, client_ip, user_agent, verb, api_group, resource, subresource, namespace,
  name, outcome, status_code, request_uri, annotations, workload IS NOT NULL AS writes_workload, agent AS tool, coalesce(client_tools.kind, 'other') AS tool_kind
FROM (
  SELECT *, lower(regexp_replace(user_agent_tool(user_agent), '^kubectl-.*$', 'kubectl')) AS agent
  FROM events
)
LEFT JOIN client_tools ON agent = client_tools.tool
