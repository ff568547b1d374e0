-- One row per field that an update or patch of a workload changed, compared with the previous version, which may be
-- older than the scope and written by any identity. Requests that create an object are not included. If the previous
-- version is not in the log, `before` is null, and a patch shows only the fields that it sets.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, api_group, resource, subresource, namespace, name, object_uid, outcome,
  made_by_controller,
  change['kind'] AS kind,
  concat(change['kind'], ' ', name) AS object,
  change['change'] AS change,
  change['container'] AS container,
  change['field'] AS field,
  change['before'] AS before,
  change['after'] AS after
FROM (
  SELECT
    e.event_id, e.audit_id, e.time, e.date, e.cluster, e.username, e.identity_kind, e.impersonated_username, e.client_ip,
    e.user_agent, e.verb, e.api_group, e.resource, e.subresource, e.namespace, e.name, e.object_uid, e.outcome,
    e.identity_kind = 'controller' AND e.workload['owner'] IS NOT NULL
      AND coalesce(controller_makes(e.username, e.verb, e.resource, e.workload['owner']['kind']), false)
      AS made_by_controller,
    unnest(h.changes) AS change
  FROM events AS e
  JOIN (
    SELECT
      cluster, event_id,
      workload_changes(
        api_group, resource, namespace, name, subresource, CASE WHEN created THEN 'create' ELSE verb END, outcome, object_uid, field_manager, force,
        request_object, response_object
      ) OVER (
        PARTITION BY cluster, api_group, resource, namespace, name
        -- An object changes when a request completes, not when it arrives.
        ORDER BY coalesce(stage_at, time), source_file, source_line
      ) AS changes
    FROM (
      -- Most objects never change, so their bodies are not read.
      SELECT DISTINCT cluster, api_group, resource, namespace, name
      FROM stages
      WHERE activity = 'workload' AND outcome = 'allowed' AND verb IN ('update', 'patch') AND NOT created
    ) AS changed
    RIGHT SEMI JOIN (
      SELECT * FROM stages_known
      WHERE activity = 'workload' AND outcome = 'allowed' AND name IS NOT NULL
    ) AS write
      ON (write.cluster IS NOT DISTINCT FROM changed.cluster)
      AND (write.api_group IS NOT DISTINCT FROM changed.api_group)
      AND (write.resource IS NOT DISTINCT FROM changed.resource)
      AND (write.namespace IS NOT DISTINCT FROM changed.namespace)
      AND (write.name IS NOT DISTINCT FROM changed.name)
  ) AS h ON h.cluster = e.cluster AND h.event_id = e.event_id
  WHERE e.activity = 'workload' AND e.outcome = 'allowed' AND e.verb IN ('update', 'patch') AND NOT e.created AND h.changes IS NOT NULL
)
