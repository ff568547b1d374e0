-- One row per workload that probably still exists at the end of the scope: its last allowed write in scope, with no later
-- deletion of the object, of all objects of its kind, or of its namespace in the log. Deletions by other identities count.
-- Join `containers` or `volumes` with `event_id` and `cluster` for the posture in detail.
SELECT
  w.event_id, w.audit_id, w.time, w.date, w.cluster, w.username, w.identity_kind, w.impersonated_username, w.client_ip,
  w.user_agent, w.verb, w.api_group, w.resource, w.namespace, w.name, w.object_uid, w.created, w.made_by_controller,
  w.kind, w.object,
  t.root_kind, t.root_name, t.author, t.author_time, t.author_known_by,
  w.pod_security_level, w.host_pid, w.host_ipc, w.host_network, w.service_account_name, w.node_name, w.replicas,
  w.schedule, w.suspend, w.posture,
  c.images, c.privileged
FROM (
  SELECT
    *,
    -- Objects whose generated name is not in the log are kept apart.
    row_number() OVER (
      PARTITION BY cluster, resource, namespace, coalesce(name, event_id) ORDER BY time DESC, event_id DESC
    ) AS age
  FROM workloads
  WHERE outcome = 'allowed' AND (subresource IS NULL OR subresource = 'ephemeralcontainers')
) AS w
LEFT JOIN workload_tree AS t ON t.cluster = w.cluster AND t.event_id = w.event_id
LEFT JOIN (
  SELECT cluster, event_id, array_agg(DISTINCT image ORDER BY image) AS images, bool_or(privileged) AS privileged
  FROM containers
  GROUP BY cluster, event_id
) AS c ON c.cluster = w.cluster AND c.event_id = w.event_id
LEFT JOIN (
  SELECT cluster, resource, namespace, name, max(time) AS deleted_at
  FROM events_ever
  WHERE activity = 'workload' AND outcome = 'allowed'
    AND ((verb = 'delete' AND subresource IS NULL) OR (resource = 'pods' AND subresource = 'eviction' AND verb = 'create'))
  GROUP BY cluster, resource, namespace, name
) AS one
  ON one.cluster = w.cluster AND one.resource = w.resource AND one.namespace = w.namespace AND one.name = w.name
LEFT JOIN (
  -- A selector may leave some objects: their own deletions decide.
  SELECT cluster, resource, namespace, max(time) AS deleted_at
  FROM events_ever
  WHERE activity = 'workload' AND outcome = 'allowed' AND verb = 'deletecollection'
    AND request_uri NOT LIKE '%Selector=%'
  GROUP BY cluster, resource, namespace
) AS every
  ON every.cluster = w.cluster AND every.resource = w.resource AND every.namespace = w.namespace
LEFT JOIN (
  SELECT cluster, name, max(time) AS deleted_at
  FROM events_ever
  WHERE activity = 'write' AND resource = 'namespaces' AND subresource IS NULL AND outcome = 'allowed'
    AND verb = 'delete'
  GROUP BY cluster, name
) AS whole ON whole.cluster = w.cluster AND whole.name = w.namespace
WHERE w.age = 1
  AND (one.deleted_at IS NULL OR one.deleted_at < w.time)
  AND (every.deleted_at IS NULL OR every.deleted_at < w.time)
  AND (whole.deleted_at IS NULL OR whole.deleted_at < w.time)
