-- The rows of history_writes of people and service accounts, numbered in order of time: `nth` among all of its
-- identity, and among those of the same kind, in the same namespace, from the same address, with the same client.
-- `log_seconds` is how long the log of the cluster had run.
SELECT
  *,
  date_diff('second', log_begins, time) AS log_seconds,
  row_number() OVER (PARTITION BY cluster, identity ORDER BY time, event_id) AS nth,
  row_number() OVER (PARTITION BY cluster, identity, kind ORDER BY time, event_id) AS nth_of_kind,
  row_number() OVER (PARTITION BY cluster, identity, namespace ORDER BY time, event_id) AS nth_of_namespace,
  row_number() OVER (PARTITION BY cluster, identity, client_ip ORDER BY time, event_id) AS nth_of_client_ip,
  row_number() OVER (PARTITION BY cluster, identity, client ORDER BY time, event_id) AS nth_of_client
FROM history_writes
JOIN history_begins USING (cluster)
WHERE identity_kind IN ('human', 'service_account', 'cloud_service_account')
