-- The views and four detections of podtrail for DuckDB, over the table `stages` (one row per stage of a request).

-- One row per request: its last stage.
CREATE VIEW events AS
SELECT * FROM stages WHERE NOT superseded
UNION ALL
SELECT early.*
FROM stages AS early
WHERE superseded IS NULL AND NOT EXISTS (
  SELECT 1
  FROM stages AS late
  WHERE late.superseded IS NOT TRUE AND late.stage <> 'RequestReceived' AND late.stage <> early.stage
    AND early.stage IN ('RequestReceived', 'ResponseStarted')
    AND late.audit_id = early.audit_id AND late.time = early.time
    AND late.cluster = early.cluster AND late.date = early.date AND late.activity = early.activity
);

-- What the controllers of the control plane create from the template of an owner.
CREATE VIEW controller_makes AS
SELECT *
FROM (VALUES
  ('cronjob-controller', 'jobs', 'CronJob'),
  ('daemon-set-controller', 'pods', 'DaemonSet'),
  ('deployment-controller', 'replicasets', 'Deployment'),
  ('job-controller', 'pods', 'Job'),
  ('replicaset-controller', 'pods', 'ReplicaSet'),
  ('replication-controller', 'pods', 'ReplicationController'),
  ('statefulset-controller', 'pods', 'StatefulSet')
) AS made(account, resource, owner_kind);

-- One row per write of a workload by a person or a program: `authored_workloads` of podtrail.
CREATE VIEW workloads AS
SELECT
  event_id, username, namespace, name, workload.containers AS containers, workload.host_process AS host_process,
  concat(workload.kind, ' ', coalesce(name, workload.generate_name || '*')) AS object
FROM (SELECT *, workload.owner.kind AS owner_kind FROM events) AS written
WHERE activity = 'workload' AND workload IS NOT NULL AND outcome = 'allowed' AND identity_kind IS DISTINCT FROM 'node'
  AND NOT EXISTS (
    SELECT 1
    FROM controller_makes AS made
    WHERE written.identity_kind = 'controller'
      AND written.username IN ('system:kube-controller-manager', 'system:serviceaccount:kube-system:' || made.account)
      AND written.resource = made.resource AND written.owner_kind = made.owner_kind
      AND (written.verb = 'create' OR written.verb IN ('update', 'patch') AND made.owner_kind IN ('Deployment', 'StatefulSet'))
  );

CREATE VIEW privileged_container AS
SELECT event_id, container.role || ' ' || coalesce(container.name, '') || ' of ' || object || ' is privileged' AS reason
FROM (SELECT *, unnest(containers) AS container FROM workloads)
WHERE container.privileged
UNION ALL
SELECT DISTINCT event_id, object || ' runs as a HostProcess container on Windows' AS reason
FROM (SELECT *, unnest(containers) AS container FROM workloads)
WHERE coalesce(container.host_process, host_process);

CREATE VIEW exec_into_pod AS
SELECT
  event_id,
  coalesce('"' || left(array_to_string(exec.command, ' '), 300) || '"', 'a command') || ' in pod '
    || CASE resource WHEN 'nodes' THEN exec.pod ELSE name END AS reason
FROM events
WHERE activity = 'access' AND resource IN ('pods', 'nodes') AND coalesce(exec.action, subresource) = 'exec'
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission');

CREATE VIEW wildcard_role AS
SELECT event_id, rbac.kind || ' ' || coalesce(name, '') || ' allows everything' AS reason
FROM (SELECT *, unnest(rbac.rules) AS rule FROM events WHERE activity = 'rbac' AND rbac.kind IN ('Role', 'ClusterRole'))
WHERE list_contains(rule.verbs, '*') AND list_contains(rule.resources, '*')
  AND (coalesce(len(rule.api_groups), 0) = 0 OR list_has_any(rule.api_groups, ['', '*']))
  AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
UNION ALL
SELECT event_id, rbac.kind || ' ' || coalesce(name, '') || ' allows everything in effect' AS reason
FROM events
WHERE activity = 'rbac' AND list_contains(rbac.effects, 'everything')
  AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller';

CREATE VIEW denied_burst AS
WITH refused AS (
  SELECT
    event_id, cluster, username, client_ip, time,
    NOT coalesce(regexp_matches(client_ip,
      '^(::ffff:)?(127|10|169\.254|192\.168|172\.(1[6-9]|2[0-9]|3[01])|100\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))\.|^(::1$|f[cd]|fe[89ab])', 'i'), true) AS is_public
  FROM events
  WHERE outcome IN ('denied_authn', 'denied_authz')
    AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
),
windows AS (
  SELECT
    *,
    count(*) OVER (PARTITION BY cluster, username, client_ip ORDER BY time RANGE BETWEEN CURRENT ROW AND INTERVAL '5 minutes' FOLLOWING) >= 10 AS begins_one,
    is_public AND count(*) OVER (PARTITION BY cluster, client_ip ORDER BY time RANGE BETWEEN CURRENT ROW AND INTERVAL '30 minutes' FOLLOWING) >= 10 AS begins_public
  FROM refused
),
bursts AS (
  SELECT
    *,
    max(CASE WHEN begins_one THEN 1 ELSE 0 END) OVER (PARTITION BY cluster, username, client_ip ORDER BY time RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW) = 1 AS is_in_one,
    max(CASE WHEN begins_public THEN 1 ELSE 0 END) OVER (PARTITION BY cluster, client_ip ORDER BY time RANGE BETWEEN INTERVAL '30 minutes' PRECEDING AND CURRENT ROW) = 1 AS is_in_public
  FROM windows
),
pauses AS (
  SELECT *, time - lag(time) OVER (PARTITION BY cluster, username, client_ip ORDER BY time, event_id) > INTERVAL '1800 seconds' AS is_after_pause
  FROM (
    SELECT event_id, time, cluster, CASE WHEN is_in_public THEN NULL ELSE username END AS username, client_ip, is_in_public
    FROM bursts
    WHERE is_in_one OR is_in_public
  )
),
-- session_number(time, 1800) of podtrail.
sessions AS (
  SELECT *, count(*) FILTER (is_after_pause) OVER (PARTITION BY cluster, username, client_ip ORDER BY time, event_id) AS session FROM pauses
)
SELECT
  list(event_id ORDER BY time)[1:50] AS event_id,
  coalesce(username, client_ip, 'an unknown identity') || ' had ' || count(*) || ' requests denied' AS reason
FROM sessions
GROUP BY cluster, username, client_ip, is_in_public, session;
