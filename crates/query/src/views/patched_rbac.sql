-- Writes whose bodies show only a part of the object: patches whose response is not the object. If the log contains
-- the previous version (a write or read by any identity, of any age), the row shows the result of the patch.
WITH patched AS (
  -- There are few, so the bodies of the others are not read.
  SELECT DISTINCT cluster, api_group, resource, namespace, name
  FROM stages
  WHERE activity = 'rbac' AND outcome = 'allowed' AND verb = 'patch' AND rbac['body_source'] = 'patch'
),
known AS (
  SELECT
    cluster, event_id, time, stage_at, source_file, source_line, api_group, resource, subresource, namespace, name, verb,
    outcome, object_uid, field_manager, force, request_object, response_object, created
  FROM patched
  RIGHT SEMI JOIN (
    SELECT * FROM stages_ever
    WHERE outcome = 'allowed' AND name IS NOT NULL AND (
      activity = 'rbac'
      OR (activity = 'read' AND verb = 'get' AND subresource IS NULL AND response_object IS NOT NULL)
      OR (activity = 'write' AND subresource = 'status' AND response_object IS NOT NULL)
    )
  ) AS one
    ON (one.cluster IS NOT DISTINCT FROM patched.cluster)
    AND (one.api_group IS NOT DISTINCT FROM patched.api_group)
    AND (one.resource IS NOT DISTINCT FROM patched.resource)
    AND (one.namespace IS NOT DISTINCT FROM patched.namespace)
    AND (one.name IS NOT DISTINCT FROM patched.name)
  UNION ALL
  SELECT
    many.cluster, event_id, time, stage_at, source_file, source_line, many.api_group, many.resource, subresource,
    patched.namespace, patched.name, verb, outcome, NULL AS object_uid, field_manager, force, request_object, response_object, created
  FROM patched
  JOIN (
    SELECT * FROM stages_ever
    WHERE outcome = 'allowed' AND activity = 'read' AND verb = 'list' AND response_object IS NOT NULL
  ) AS many
    ON (many.cluster IS NOT DISTINCT FROM patched.cluster)
    AND (many.api_group IS NOT DISTINCT FROM patched.api_group)
    AND (many.resource IS NOT DISTINCT FROM patched.resource)
    AND (many.namespace IS NULL OR many.namespace = patched.namespace)
)
SELECT
  e.event_id, e.audit_id, e.time, e.date, e.cluster, e.activity, e.username, e.identity_kind, e.impersonated_username,
  e.effective_username, e.user_groups, e.client_ip, e.source_ips, e.user_agent, e.verb, e.api_group, e.resource,
  e.subresource, e.namespace, e.name, e.object_uid, e.outcome, e.status_code, e.dry_run, e.level, e.annotations,
  e.field_manager, e.partial_answer, e.outcome_uncertain, e.embedded, e.created,
  CASE WHEN version.rbac IS NULL THEN e.rbac ELSE version.rbac END AS rbac
FROM (
  SELECT * FROM events
  WHERE activity = 'rbac' AND verb = 'patch' AND rbac['body_source'] = 'patch'
) AS e
LEFT JOIN (
  SELECT
    cluster, event_id,
    patched_rbac(
      api_group, resource, namespace, name, subresource, CASE WHEN created THEN 'create' ELSE verb END, outcome, object_uid, field_manager, force,
      request_object, response_object
    ) OVER (
      PARTITION BY cluster, api_group, resource, namespace, name
      -- An object changes when a request completes, not when it arrives.
      ORDER BY coalesce(stage_at, time), source_file, source_line
    ) AS rbac
  FROM known
) AS version ON version.cluster = e.cluster AND version.event_id = e.event_id
