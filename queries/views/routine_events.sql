-- Routine writes of the platform or its vendors, with the reason. A detection with `routine` in its header has that
-- severity for them: they are reported, but at a lower severity. Everything here is a list of known behaviour; anything
-- unknown is not routine.

-- Writes of the installer during the installation of a cluster, which is in the log, until it pauses. To use this, an
-- attacker needs the installer's credential, at its address, within the first seconds of a cluster. Workloads must be
-- agents as published. Anonymous users and all users get no cluster-wide role, no powerful role, and no role in
-- kube-system.
SELECT event.cluster, event.event_id, 'installation of a new cluster by its installer' AS routine
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
-- Workloads of the accounts that the installer creates for this, in the same period, where they only read from the
-- node: an etcd backup, whose commands are of the kinds 'cluster access' and 'data dump'. To use this, an attacker
-- needs the token of such an account within the first seconds of a cluster.
SELECT written.cluster, written.event_id, 'installation of a new cluster by an account of its installer' AS routine
FROM workloads AS written
JOIN history_installers AS installer
  ON installer.cluster = written.cluster AND installer.username = written.username AND written.time BETWEEN installer.time AND installer.until
LEFT ANTI JOIN (
  SELECT cluster, event_id FROM containers
  WHERE privileged OR host_process OR coalesce(array_length(capabilities_add), 0) > 0
) AS strong
  ON strong.cluster = written.cluster AND strong.event_id = written.event_id
LEFT ANTI JOIN authored_host_paths AS path ON path.event_id = written.event_id AND path.writable
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
-- Platform agents as published, written by an account of kube-system. To use this, an attacker needs the token of such
-- an account, and gets the published program. The default service account and the accounts of controllers, which no pod
-- needs, are not installers.
SELECT written.cluster, written.event_id, 'platform agent written by an account of kube-system' AS routine
FROM workloads AS written
JOIN platform_add_ons AS agent
  ON agent.cluster = written.cluster AND agent.event_id = written.event_id AND agent.kind IN ('DaemonSet', 'Deployment')
LEFT ANTI JOIN controller_accounts AS controller
  ON written.username = concat('system:serviceaccount:kube-system:', controller.account)
WHERE starts_with(username, 'system:serviceaccount:kube-system:') AND username <> 'system:serviceaccount:kube-system:default'
  AND impersonated_username IS NULL
UNION ALL
-- An update that does not change anything significant: number, schedule, or fewer settings. To use this, an attacker
-- can change nothing else. Another version of the same image is routine only for an identity that created or changed
-- the workload before: another identity that may push to that repository, or selects an old version in it, changes what
-- runs, and is reported.
SELECT changed.cluster, changed.event_id, 'update without weaker settings' AS routine
FROM changes AS changed
LEFT JOIN (
  SELECT cluster, resource, namespace, name, username, min(time) AS first
  FROM all_workloads
  WHERE outcome = 'allowed' AND subresource IS NULL AND impersonated_username IS NULL AND verb IN ('create', 'update', 'patch')
  GROUP BY cluster, resource, namespace, name, username
) AS wrote
  ON wrote.cluster = changed.cluster AND wrote.resource = changed.resource AND wrote.namespace = changed.namespace
  AND wrote.name = changed.name AND wrote.username = changed.username AND wrote.first < changed.time
LEFT JOIN security_agents AS guard
  ON change = 'container removed' AND regexp_like(changed.container, concat('(^|[^a-z])', guard.agent, '($|[^a-z])'))
WHERE changed.impersonated_username IS NULL
GROUP BY changed.cluster, changed.event_id
HAVING bool_and(
  change IN ('replicas', 'schedule', 'time zone', 'suspend', 'volume removed', 'security strengthened', 'resources', 'labels', 'annotations')
  OR (change = 'pod annotations' AND field = 'kubectl.kubernetes.io/restartedAt')
  OR (change = 'container removed' AND guard.agent IS NULL)
  OR (change = 'image' AND before IS NOT NULL AND wrote.username IS NOT NULL
    AND image_part(before, 'repository') = image_part(after, 'repository')
    AND image_part(before, 'registry') = image_part(after, 'registry'))
)
UNION ALL
-- Workloads that a platform component installs in kube-system, as published, from repositories that only its vendor can
-- write to: no command except a flag or a program that runs nothing else, no variable that loads code, no root
-- directory of the node. To use this, an attacker needs the credential of that component, and gets the published
-- program. The evidence of an EKS or GKE identity rules out client certificates, which others may have signed.
SELECT event.cluster, event.event_id, 'platform workload, as published, written by its component' AS routine
FROM events AS event
JOIN (
  SELECT
    container.cluster, container.event_id, event.identity_evidence,
    bool_and(known.image IS NOT NULL) AS listed,
    bool_or(coalesce(interpreter.program, '') <> '' OR coalesce(container.host_process, false)) AS runs_anything
  FROM containers AS container
  JOIN events AS event ON event.cluster = container.cluster AND event.event_id = container.event_id
  LEFT JOIN platform_component_images AS known
    ON known.evidence = event.identity_evidence
    AND regexp_like(concat(container.registry, '/', container.repository), concat('^(', known.image, ')$'))
  LEFT JOIN interpreters AS interpreter
    ON regexp_like(
      concat_ws(' ', container.command[1], CASE WHEN container.args[1] NOT LIKE '-%' THEN container.args[1] END),
      concat('(^|[/ ])(', interpreter.program, ')( |$)')
    )
  WHERE event.identity_kind = 'system' AND event.activity = 'workload'
  GROUP BY container.cluster, container.event_id, event.identity_evidence
) AS shown ON shown.cluster = event.cluster AND shown.event_id = event.event_id AND shown.listed AND NOT shown.runs_anything
LEFT ANTI JOIN code_loading_env AS loads ON loads.cluster = event.cluster AND loads.event_id = event.event_id
LEFT ANTI JOIN (
  SELECT cluster, event_id FROM command_lines JOIN command_patterns ON regexp_like(code, pattern, 'is')
) AS attack ON attack.cluster = event.cluster AND attack.event_id = event.event_id
LEFT ANTI JOIN (SELECT cluster, event_id FROM volumes WHERE host_path = '/') AS root
  ON root.cluster = event.cluster AND root.event_id = event.event_id
WHERE event.identity_kind = 'system' AND event.activity = 'workload' AND event.namespace = 'kube-system'
  AND event.impersonated_username IS NULL
UNION ALL
-- EKS re-encrypts the secrets of a cluster with another key by reading and writing them all. To use this, an attacker
-- needs the credential of that component, which is not a client certificate.
SELECT cluster, event_id, 'secrets re-encrypted by EKS' AS routine
FROM events
WHERE activity = 'secret' AND identity_kind = 'system' AND identity_evidence = 'user of EKS' AND username = 'eks:kms-storage-migrator'
  AND impersonated_username IS NULL
