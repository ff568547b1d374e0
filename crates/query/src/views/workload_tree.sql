-- One row per workload write, with the object at the root of its owners and the identity that last wrote the spec of
-- that object. Owners may be older than the scope. `author` is the effective user of that write after impersonation,
-- `author_username` the authenticated one. `author_known_by` is `own request`, `owner chain`, `template hash` (by
-- names alone) or `unknown`.

-- A detection joins the author as follows:
--   SELECT c.event_id, c.object || ' of ' || t.author AS reason
--   FROM containers c JOIN workload_tree t ON t.cluster = c.cluster AND t.event_id = c.event_id
--   WHERE c.privileged
SELECT
  w.event_id, w.audit_id, w.time, w.date, w.cluster, w.username, w.identity_kind, w.impersonated_username, w.client_ip,
  w.user_agent, w.verb, w.api_group, w.resource, w.subresource, w.namespace, w.name, w.outcome, w.made_by_controller,
  w.kind, w.object,
  t.tree['root_kind'] AS root_kind,
  t.tree['root_name'] AS root_name,
  t.tree['root_uid'] AS root_uid,
  t.tree['depth'] AS depth,
  t.tree['author'] AS author,
  t.tree['author_username'] AS author_username,
  t.tree['author_event_id'] AS author_event_id,
  t.tree['author_time'] AS author_time,
  t.tree['author_known_by'] AS author_known_by
FROM workloads AS w
JOIN (
  SELECT
    cluster, event_id,
    attribute(
      event_id, time, act, resource, kind, namespace, name, object_uid,
      owner['kind'], owner['name'], owner['uid'], whole,
      identity_kind, username, effective_username, stored, writes_spec
    ) OVER (PARTITION BY cluster ORDER BY time, event_id) AS tree
  FROM (
    -- Controllers do not write specs of their own, and every create writes one, so no body needs to be read.
    SELECT
      cluster, event_id, time, CASE WHEN created THEN 'create' ELSE verb END AS act, resource, namespace, name, object_uid,
      identity_kind, username, effective_username,
      workload['kind'] AS kind,
      workload['owner'] AS owner,
      subresource IS NULL AND workload['body_source'] IN ('request', 'response') AS whole,
      CASE WHEN outcome <> 'unknown' AND NOT coalesce(outcome_uncertain, false) THEN outcome = 'allowed' END AS stored,
      verb = 'create' AS writes_spec
    FROM events_known
    WHERE activity = 'workload'
      AND workload IS NOT NULL
      AND (identity_kind = 'controller' OR verb = 'create')
    UNION ALL
    SELECT
      cluster, event_id, time, CASE WHEN created THEN 'create' ELSE verb END AS act, resource, namespace, name, object_uid,
      identity_kind, username, effective_username,
      workload['kind'] AS kind,
      workload['owner'] AS owner,
      subresource IS NULL AND workload['body_source'] IN ('request', 'response') AS whole,
      CASE WHEN outcome <> 'unknown' AND NOT coalesce(outcome_uncertain, false) THEN outcome = 'allowed' END AS stored,
      -- Decided by the written fields, because the client chooses the name of the field manager.
      created OR writes_spec(verb, coalesce(request_object, ''), coalesce(response_object, '')) AS writes_spec
    FROM events_known
    WHERE activity = 'workload'
      AND workload IS NOT NULL
      AND identity_kind <> 'controller'
      AND verb IN ('update', 'patch')
    UNION ALL
    -- Custom resources that may own workloads.
    SELECT
      cluster, event_id, time, CASE WHEN created THEN 'create' ELSE verb END AS act, resource, namespace, name, object_uid,
      identity_kind, username, effective_username,
      NULL AS kind,
      NULL AS owner,
      false AS whole,
      CASE WHEN outcome <> 'unknown' AND NOT coalesce(outcome_uncertain, false) THEN outcome = 'allowed' END AS stored,
      created OR writes_spec(verb, coalesce(request_object, ''), coalesce(response_object, '')) AS writes_spec
    FROM events_known
    WHERE activity = 'write'
      AND identity_kind <> 'controller'
      AND verb IN ('create', 'update', 'patch')
      AND api_group LIKE '%.%'
      AND api_group NOT LIKE '%.k8s.io'
      AND subresource IS NULL
  )
) AS t ON t.cluster = w.cluster AND t.event_id = w.event_id
