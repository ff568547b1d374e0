-- One row per protection that a write removes or weakens, compared with the previous version where the log has it:
-- policies, exemptions, namespaces, networks, nodes and log collectors of guard_kinds. The creation of a policy removes
-- nothing. `is_own` means that an account of the product's own namespace maintains an object named after the product.
SELECT
  event_id, time, cluster, username, identity_kind, verb, kind, product, api_group, resource, namespace, name, request_object,
  is_own, in_scope, created,
  found['change'] AS change, found['field'] AS field, found['before'] AS before, found['after'] AS after,
  found['compared'] AS compared,
  concat(verb, ' of ', resource, coalesce(' ' || name, ''), coalesce(' in ' || namespace, ''), ' by ', coalesce(username, 'an unknown identity')) AS act,
  concat(
    found['change'], coalesce(': ' || nullif(found['field'], ''), ''), coalesce(' from ' || substr(found['before'], 1, 120), ''),
    coalesce(' to ' || substr(found['after'], 1, 120), '')
  ) AS what
FROM (
  SELECT *, unnest(changes) AS found
  FROM (
    SELECT
      *,
      guard_changes(
        api_group, resource, subresource, CASE WHEN created THEN 'create' ELSE verb END, outcome, object_uid, field_manager, force, request_object, response_object
      ) OVER (
        PARTITION BY cluster, api_group, resource, namespace, name
        -- An object changes when a request completes, not when it arrives.
        ORDER BY coalesce(stage_at, time), source_file, source_line
      ) AS changes
    FROM (
      SELECT
        written.event_id, written.time, written.stage_at, written.source_file, written.source_line, written.cluster,
        written.username, written.identity_kind, written.verb, guard_kinds.kind, guard_kinds.product, written.api_group,
        written.resource, written.subresource, written.namespace, written.name, written.outcome, written.object_uid,
        written.field_manager, written.force, written.request_object, written.response_object, written.in_scope,
        written.created,
        written.service_account_namespace IN (
          'kyverno', 'gatekeeper-system', 'kubewarden', 'cert-manager', 'istio-system', 'linkerd', 'neuvector', 'stackrox',
          'tetragon', 'falco', 'kubearmor', 'connaisseur', 'portieris', 'kubescape', 'datadog'
        ) AND starts_with(written.name, split_part(written.service_account_namespace, '-', 1))
          -- Reporters, scanners and other accounts of the namespace do not configure the product.
          AND regexp_like(written.service_account_name, '(^|-)(admission-controller|background-controller|cleanup-controller|controller|controller-manager|admin|operator|cainjector|webhook|istiod|kyverno|tetragon|kubewarden-controller)$')
          AND NOT regexp_like(written.service_account_name, 'report|scan|exporter|agent') AS is_own
      FROM (
        SELECT * FROM all_events
        WHERE activity IN ('write', 'workload') AND subresource IS NULL AND outcome = 'allowed' AND resource <> 'events'
          AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
      ) AS written
      JOIN guard_kinds
        ON coalesce(written.api_group, '') = coalesce(guard_kinds.api_group, '') AND written.resource LIKE guard_kinds.resource
    )
  )
  WHERE changes IS NOT NULL
)
