-- The birth of a cluster, where the log shows it, and who installs it: the first member of system:masters who then writes
-- anything, with address and credential.
--
-- A birth is what an API server without a store does once: it makes the namespaces kube-system and default, the role
-- cluster-admin and its binding, from its own host, with a token that never leaves its process. None of them can be made a
-- second time, and kube-system and default cannot be deleted, so an attacker would have to own the store of the cluster.
-- A log that begins before that is of a cluster that is older.
WITH made AS (
  SELECT cluster, time, resource, name
  FROM (
    SELECT cluster, time, activity, verb, resource, subresource, namespace, name, username, impersonated_username, user_groups, client_ip, source_ips, token_credential_id, status_code, outcome FROM events
    UNION ALL
    SELECT cluster, time, activity, verb, resource, subresource, namespace, name, username, impersonated_username, user_groups, client_ip, source_ips, token_credential_id, status_code, outcome FROM events_history
  )
  WHERE activity IN ('write', 'rbac') AND verb = 'create' AND outcome = 'allowed' AND status_code = 201 AND subresource IS NULL
    AND username = 'system:apiserver' AND impersonated_username IS NULL AND array_has(user_groups, 'system:masters')
    AND token_credential_id IS NULL AND client_ip IN ('127.0.0.1', '::1') AND array_length(source_ips) = 1
    AND resource IN ('namespaces', 'clusterroles', 'clusterrolebindings') AND name IN ('kube-system', 'default', 'cluster-admin')
),
born AS (
  SELECT cluster, min(time) FILTER (WHERE name = 'kube-system') AS time
  FROM made
  GROUP BY cluster
  HAVING count(DISTINCT concat(resource, '/', name)) FILTER
    (WHERE concat(resource, '/', name) IN ('namespaces/kube-system', 'namespaces/default', 'clusterroles/cluster-admin', 'clusterrolebindings/cluster-admin')) = 4
    AND max(time) - min(time) < INTERVAL '1 minute'
),
writes AS (
  SELECT
    born.cluster, born.time, event.username, event.client_ip, event.token_credential_id AS credential,
    row_number() OVER (PARTITION BY born.cluster ORDER BY event.time, event.event_id) AS nth
  FROM born
  JOIN history_begins USING (cluster)
  JOIN (
    SELECT cluster, time, event_id, activity, username, impersonated_username, user_groups, client_ip, token_credential_id, outcome FROM events
    UNION ALL
    SELECT cluster, time, event_id, activity, username, impersonated_username, user_groups, client_ip, token_credential_id, outcome FROM events_history
  ) AS event
    ON event.cluster = born.cluster AND event.time BETWEEN born.time AND born.time + INTERVAL '15 minutes'
  WHERE log_begins > born.time - INTERVAL '1 minute'
    AND event.activity IN ('workload', 'rbac', 'write') AND event.outcome = 'allowed' AND event.impersonated_username IS NULL
    AND array_has(event.user_groups, 'system:masters') AND event.username <> 'system:apiserver'
)
SELECT cluster, time, username, client_ip, credential FROM writes WHERE nth = 1
