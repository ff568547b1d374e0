-- One row per significant write of an object of controlling_kinds: a create, an update, or a patch of more than
-- metadata and status. `written_before`: the same identity wrote the kind before, and no source and no power is new; or
-- the object had the same sources and powers before, regardless of the writer. Only earlier writes that were reported
-- make a write ordinary.
WITH written AS (
  SELECT
    event_id, time, cluster, identity_kind, effective_username AS identity, created, kinds.product, kinds.does, kinds.severity, kinds.fetches = 'true' AS fetches,
    event.api_group, event.resource, namespace, name, in_scope,
    embedded['powers'] AS powers,
    array_sort(coalesce(embedded['sources'], make_array())) AS sources,
    coalesce(array_to_string(array_sort(embedded['sources']), ' '), '') || ' | ' || coalesce(array_to_string(array_sort(embedded['powers']), ' '), '') AS content
  FROM (
    SELECT *, true AS in_scope FROM events
    UNION ALL
    SELECT *, false AS in_scope FROM events_history
  ) AS event
  JOIN controlling_kinds AS kinds
    ON kinds.api_group = event.api_group AND (kinds.resource = event.resource OR kinds.resource = '*')
  -- A kind in the table does not fall under the wildcard of its group.
  LEFT ANTI JOIN controlling_kinds AS exact
    ON exact.api_group = event.api_group AND exact.resource = event.resource AND kinds.resource = '*'
  -- Most writes are of other groups: their bodies are not read.
  WHERE ((event.api_group LIKE '%.%' AND event.api_group NOT IN (
        'coordination.k8s.io', 'discovery.k8s.io', 'events.k8s.io', 'rbac.authorization.k8s.io', 'authorization.k8s.io',
        'authentication.k8s.io', 'certificates.k8s.io', 'networking.k8s.io', 'storage.k8s.io', 'metrics.k8s.io'))
      OR (event.api_group = 'apps' AND event.resource = 'controllerrevisions'))
    AND activity IN ('write', 'workload') AND subresource IS NULL AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch')
    AND (verb <> 'patch' OR created OR writes_spec(verb, coalesce(request_object, ''), coalesce(response_object, '')) OR embedded IS NOT NULL)
)
SELECT
  *,
  row_number() OVER (PARTITION BY cluster, identity, api_group, resource, content ORDER BY time, event_id) > 1
  OR (NOT created
    AND row_number() OVER (PARTITION BY cluster, api_group, resource, namespace, name, content ORDER BY time, event_id) > 1)
    AS written_before
FROM written
