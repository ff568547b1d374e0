-- Writes that the platform or its makers do as a matter of course, with the reason. What a detection with `routine` in its head
-- says of them has that severity: it is told, but it is not news. Everything here is a list of what is allowed: what is not
-- known is not routine.

-- What the installer of a cluster does at its birth, which is in the log, until it pauses. To satisfy it, an attacker needs
-- the installer's credential, at its address, within the first seconds of a cluster. Workloads must be agents as they are
-- published. Nobody and everybody get no role of the whole cluster, none of those that matter, and nothing in kube-system.
SELECT event.cluster, event.event_id, 'set-up of a new cluster by its installer' AS routine
FROM events AS event
JOIN history_births AS birth
  ON birth.cluster = event.cluster AND event.time BETWEEN birth.time AND birth.until
  AND event.username = birth.username AND (event.client_ip IS NOT DISTINCT FROM birth.client_ip)
  AND (event.token_credential_id IS NOT DISTINCT FROM birth.credential)
LEFT JOIN platform_add_ons AS agent
  ON agent.cluster = event.cluster AND agent.event_id = event.event_id AND agent.kind IN ('DaemonSet', 'Deployment')
LEFT ANTI JOIN (
  SELECT bindings.cluster, bindings.event_id
  FROM bindings
  LEFT JOIN privileged_roles ON privileged_roles.role = bindings.role_name
  WHERE subject_name IN ('system:anonymous', 'system:unauthenticated', 'system:authenticated', 'system:serviceaccounts')
    AND (namespace IS NULL OR namespace = 'kube-system' OR privileged_roles.role IS NOT NULL OR role_name IS NULL)
) AS for_everybody
  ON for_everybody.cluster = event.cluster AND for_everybody.event_id = event.event_id
WHERE array_has(event.user_groups, 'system:masters') AND event.impersonated_username IS NULL
  AND (event.activity IN ('rbac', 'write') OR (event.activity = 'workload' AND agent.event_id IS NOT NULL))
UNION ALL
-- What the accounts that it makes for that run in the meantime, where it only reads of the node: a backup of etcd, whose
-- commands are of the kinds 'cluster access' and 'data dump'. To satisfy
-- it, an attacker needs the token of such an account within the first seconds of a cluster.
SELECT written.cluster, written.event_id, 'set-up of a new cluster by an account of its installer' AS routine
FROM workloads AS written
JOIN history_installers AS installer
  ON installer.cluster = written.cluster AND installer.username = written.username AND written.time BETWEEN installer.time AND installer.until
LEFT ANTI JOIN (
  SELECT cluster, event_id FROM containers
  WHERE privileged OR host_process OR coalesce(array_length(capabilities_add), 0) > 0
) AS strong
  ON strong.cluster = written.cluster AND strong.event_id = written.event_id
LEFT ANTI JOIN pods_host_paths AS path ON path.event_id = written.event_id AND path.writable
LEFT ANTI JOIN code_loading_env AS loads ON loads.cluster = written.cluster AND loads.event_id = written.event_id
LEFT ANTI JOIN (
  SELECT cluster, event_id
  FROM command_lines
  JOIN command_patterns ON regexp_like(code, pattern, 'is') AND command_patterns.kind NOT IN ('data dump', 'cluster access')
) AS attack
  ON attack.cluster = written.cluster AND attack.event_id = written.event_id
WHERE written.namespace = 'kube-system' AND written.impersonated_username IS NULL AND written.body_source IN ('request', 'response')
  AND NOT coalesce(written.host_pid, false) AND NOT coalesce(written.host_ipc, false)
UNION ALL
-- Agents of the platform as they are published, written by an account of kube-system. To satisfy it, an attacker needs the
-- token of such an account, and gets the published program. Neither the account that a pod has if nobody says another nor
-- those of controllers, which no pod needs, are installers.
SELECT written.cluster, written.event_id, 'an agent of the platform by an account of kube-system' AS routine
FROM workloads AS written
JOIN platform_add_ons AS agent
  ON agent.cluster = written.cluster AND agent.event_id = written.event_id AND agent.kind IN ('DaemonSet', 'Deployment')
LEFT ANTI JOIN controller_accounts AS controller
  ON written.username = concat('system:serviceaccount:kube-system:', controller.account)
WHERE starts_with(username, 'system:serviceaccount:kube-system:') AND username <> 'system:serviceaccount:kube-system:default'
  AND impersonated_username IS NULL
UNION ALL
-- An update that leaves all that matters as it was: how often and when it runs, and less of it. To satisfy it, an attacker
-- changes nothing else. Another version of the same image is routine only for whoever created the workload: somebody else
-- who may push to that repository, or finds an old version in it, changes what runs.
SELECT changed.cluster, changed.event_id, 'an update that makes nothing weaker' AS routine
FROM changes AS changed
LEFT JOIN (
  SELECT DISTINCT cluster, resource, namespace, name, username
  FROM (
    SELECT cluster, resource, namespace, name, username, created, subresource, outcome, impersonated_username FROM workloads
    UNION ALL
    SELECT cluster, resource, namespace, name, username, created, subresource, outcome, impersonated_username FROM workloads_history
  )
  WHERE outcome = 'allowed' AND subresource IS NULL AND impersonated_username IS NULL AND created
) AS made
  ON made.cluster = changed.cluster AND made.resource = changed.resource AND made.namespace = changed.namespace
  AND made.name = changed.name AND made.username = changed.username
LEFT JOIN security_agents AS guard
  ON change = 'container removed' AND regexp_like(changed.container, concat('(^|[^a-z])', guard.agent, '($|[^a-z])'))
WHERE changed.impersonated_username IS NULL
GROUP BY changed.cluster, changed.event_id
HAVING bool_and(
  change IN ('replicas', 'schedule', 'time zone', 'suspend', 'volume removed', 'security strengthened', 'resources', 'labels', 'annotations')
  OR (change = 'pod annotations' AND field = 'kubectl.kubernetes.io/restartedAt')
  OR (change = 'container removed' AND guard.agent IS NULL)
  OR (change = 'image' AND before IS NOT NULL AND made.username IS NOT NULL
    AND image_part(before, 'repository') = image_part(after, 'repository')
    AND image_part(before, 'registry') = image_part(after, 'registry'))
)
