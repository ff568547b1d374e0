-- One row per change that weakens a workload of a security product, compared with the previous version where the log
-- has it: `removed`, `stopped` (its pods cannot run), `spec` (they run differently) or `collected`. Pods are left out.
SELECT
  event_id, time, cluster, username, identity_kind, service_account_namespace, verb, product, resource, namespace, name, in_scope,
  found['change'] AS change, found['field'] AS field, found['before'] AS before, found['after'] AS after,
  concat(
    verb, ' of ', concat_ws('/', resource, subresource), coalesce(' ' || name, ''), ' in ', coalesce(namespace, ''),
    ', which belongs to ', product, ': ', found['change'], coalesce(', ' || nullif(found['field'], ''), ''),
    coalesce(' from ' || substr(found['before'], 1, 120), ''), coalesce(' to ' || substr(found['after'], 1, 120), '')
  ) AS reason
FROM (
  SELECT *, unnest(changes) AS found
  FROM (
    SELECT
      *,
      guard_changes(
        api_group, resource, subresource, CASE WHEN created THEN 'create' ELSE verb END, outcome, object_uid, field_manager, force, request_object, response_object
      ) OVER (
        PARTITION BY cluster, api_group, resource, namespace, name
        ORDER BY coalesce(stage_at, time), source_file, source_line
      ) AS changes
    FROM (
      SELECT
        written.event_id, written.time, written.stage_at, written.source_file, written.source_line, written.cluster,
        written.username, written.identity_kind, written.service_account_namespace, written.verb, written.api_group,
        written.resource, written.subresource, written.namespace, written.name, written.outcome, written.object_uid,
        written.field_manager, written.force, written.request_object, written.response_object, written.in_scope,
        written.created, agent.product
      FROM (
        SELECT * FROM all_events WHERE activity = 'workload' AND outcome = 'allowed' AND resource <> 'pods'
      ) AS written
      JOIN security_agent_objects AS agent
        ON agent.cluster = written.cluster AND agent.resource = written.resource
        AND (agent.namespace IS NOT DISTINCT FROM written.namespace) AND (agent.name IS NOT DISTINCT FROM written.name)
    )
  )
  WHERE changes IS NOT NULL
)
