-- One row per image of history_writes, of a container or of an image volume, numbered in order of time within its
-- registry and its repository in the cluster. `log_seconds` is how long the log of the cluster had run.
SELECT
  event_id, cluster, time, identity, identity_kind, verb, object, namespace, in_scope, registry, repository,
  date_diff('second', log_begins, time) AS log_seconds,
  row_number() OVER (PARTITION BY cluster, registry ORDER BY time, event_id) AS nth_of_registry,
  row_number() OVER (PARTITION BY cluster, registry, repository ORDER BY time, event_id) AS nth_of_repository
FROM (
  SELECT
    event_id, cluster, time, identity, identity_kind, verb, object, namespace, in_scope, container['registry'] AS registry,
    container['repository'] AS repository
  FROM (SELECT *, unnest(containers) AS container FROM history_writes)
  UNION ALL
  SELECT
    event_id, cluster, time, identity, identity_kind, verb, object, namespace, in_scope,
    image_part(volume['image_reference'], 'registry') AS registry,
    image_part(volume['image_reference'], 'repository') AS repository
  FROM (SELECT *, unnest(volumes) AS volume FROM history_writes)
  WHERE volume['image_reference'] IS NOT NULL
) AS used
JOIN history_begins USING (cluster)
WHERE registry IS NOT NULL
