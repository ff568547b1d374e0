-- The installation of a cluster, where the log shows it, with its installer and end: the first member of system:masters
-- that then writes anything, with address and credential, until it pauses for a minute.
--
-- An API server without a store does this once: it creates the namespaces kube-system and default, the role cluster-admin
-- and its binding, from its own host, with a token that never leaves its process. They cannot be created twice, and
-- kube-system and default cannot be deleted, so an attacker would need to control the store of the cluster. A log with
-- earlier events belongs to an older cluster.
WITH known AS (
  SELECT cluster, time, event_id, activity, verb, resource, subresource, name, username, impersonated_username, user_groups, client_ip, source_ips, token_credential_id AS credential, status_code
  FROM events
  WHERE outcome = 'allowed' AND activity IN ('workload', 'rbac', 'write') AND array_has(user_groups, 'system:masters') AND impersonated_username IS NULL
  UNION ALL
  SELECT cluster, time, event_id, activity, verb, resource, subresource, name, username, impersonated_username, user_groups, client_ip, source_ips, token_credential_id AS credential, status_code
  FROM events_history
  WHERE outcome = 'allowed' AND activity IN ('workload', 'rbac', 'write') AND array_has(user_groups, 'system:masters') AND impersonated_username IS NULL
),
made AS (
  SELECT cluster, time, concat(resource, '/', name) AS object
  FROM known
  WHERE verb = 'create' AND status_code = 201 AND subresource IS NULL AND username = 'system:apiserver' AND credential IS NULL
    AND client_ip IN ('127.0.0.1', '::1') AND array_length(source_ips) = 1
    AND concat(resource, '/', name) IN ('namespaces/kube-system', 'namespaces/default', 'clusterroles/cluster-admin', 'clusterrolebindings/cluster-admin')
),
born AS (
  SELECT made.cluster, min(time) AS time
  FROM made
  JOIN history_begins USING (cluster)
  GROUP BY made.cluster
  HAVING count(DISTINCT object) = 4 AND max(time) - min(time) < INTERVAL '1 minute' AND min(log_begins) > min(time) - INTERVAL '1 minute'
),
writes AS (
  SELECT
    born.cluster, born.time AS born_at, known.time, known.event_id, known.username, known.client_ip, known.credential,
    first_value(known.username) OVER (PARTITION BY born.cluster ORDER BY known.time, known.event_id) AS installer,
    first_value(coalesce(known.client_ip, '')) OVER (PARTITION BY born.cluster ORDER BY known.time, known.event_id) AS installer_ip,
    first_value(coalesce(known.credential, '')) OVER (PARTITION BY born.cluster ORDER BY known.time, known.event_id) AS installer_credential
  FROM born
  JOIN known ON known.cluster = born.cluster AND known.time BETWEEN born.time AND born.time + INTERVAL '15 minutes'
  WHERE known.username <> 'system:apiserver'
),
paused AS (
  SELECT
    *,
    coalesce(
      time - lag(time) OVER (PARTITION BY cluster ORDER BY time, event_id) > INTERVAL '1 minute',
      time - born_at > INTERVAL '5 minutes'
    ) AS after_pause
  FROM writes
  WHERE username = installer AND coalesce(client_ip, '') = installer_ip AND coalesce(credential, '') = installer_credential
),
counted AS (
  SELECT *, sum(CASE WHEN after_pause THEN 1 ELSE 0 END) OVER (PARTITION BY cluster ORDER BY time, event_id) AS pauses
  FROM paused
)
SELECT cluster, born_at AS time, username, client_ip, credential, max(time) AS until
FROM counted
WHERE pauses = 0
GROUP BY cluster, born_at, username, client_ip, credential
