-- One row per webhook of a written admission webhook configuration; a configuration whose webhooks are not visible
-- has one row with a null webhook.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, subresource, namespace, name, outcome, status_code, level,
  resource, webhook['name'] AS webhook,
  webhook['url'] AS url,
  webhook['service_namespace'] AS service_namespace,
  webhook['service_name'] AS service_name,
  webhook['failure_policy'] AS failure_policy,
  webhook['operations'] AS operations,
  webhook['resources'] AS resources,
  webhook['namespace_selector'] AS namespace_selector,
  webhook['match_conditions'] AS match_conditions,
  webhook['timeout_seconds'] AS timeout_seconds,
  created
FROM (
  SELECT
    *,
    unnest(CASE WHEN cardinality(webhooks) > 0 THEN webhooks ELSE make_array(NULL) END) AS webhook
  FROM events
  WHERE activity = 'write' AND api_group = 'admissionregistration.k8s.io'
    AND resource IN ('mutatingwebhookconfigurations', 'validatingwebhookconfigurations')
)
