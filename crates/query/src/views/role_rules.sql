-- One row per rule of a role write: a verb and a resource are granted together only if they are in the same row.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, namespace, name, outcome, kind, body_source, effects, aggregates_to,
  rule['api_groups'] AS api_groups,
  rule['resources'] AS resources,
  rule['resource_names'] AS resource_names,
  rule['verbs'] AS verbs,
  rule['non_resource_urls'] AS non_resource_urls,
  amends, copied, partial_answer, created
FROM (
  SELECT
    *, rbac['kind'] AS kind, rbac['body_source'] AS body_source, rbac['amends'] AS amends, rbac['copied'] AS copied,
    rbac['effects'] AS effects, rbac['aggregates_to'] AS aggregates_to, unnest(rbac['rules']) AS rule
  FROM {rbac_writes}
  WHERE activity = 'rbac' AND rbac['kind'] IN ('Role', 'ClusterRole')
)
