/*
id: platform-agent-program-replaced
title: Platform agent binary replaced by a volume mount
severity: medium
confidence: high
risk: 60
attack: [T1610, T1036.005]
tactics: [Execution, Stealth, Privilege Escalation]
description: >-
  A workload uses the image of a platform agent, such as kube-proxy or a network plugin, and mounts a volume over the
  image's programs or libraries. The content of the volume runs instead. Severity is high where the workload has access
  to the node through a privileged container, host namespaces or hostPath volumes.
blind_spots: Images that are not in the table platform_agents. Programs that an image reads from data directories.
false_positives:
  - A vendor that mounts a patched program over that of its agent
triage:
  - >-
    SELECT time, username, verb, name, keys FROM config_maps WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1036/005/
covers: [WL-032]
controls: [AIS-06]
*/
WITH agents AS (
  SELECT
    container.cluster, container.event_id, object, container.name, image, coalesce(container.privileged, false) AS is_privileged,
    string_to_array(coalesce(agent.programs, ''), ' ') AS own_programs, unnest(volume_mounts) AS mount
  FROM containers AS container
  JOIN platform_agents AS agent ON concat(container.registry, '/', container.repository) = agent.repository
  WHERE container.outcome = 'allowed'
),
covered AS (
  SELECT
    cluster, event_id, object, name, image, mount['mount_path'] AS path, is_privileged
  FROM agents
  WHERE regexp_like(mount['mount_path'], '^/+((usr/)?(local/)?(s?bin|lib(32|64|x32|exec)?)|etc/ld\.so[^/]*)(/|$)')
    AND NOT regexp_like(mount['mount_path'], '^/(usr/)?lib/modules(/|$)')
    -- The program itself, or its directory.
    OR array_has(own_programs, mount['mount_path'])
    OR (length(rtrim(mount['mount_path'], '/')) > 0
      AND strpos(concat(' ', array_to_string(own_programs, ' ')), concat(' ', rtrim(mount['mount_path'], '/'), '/')) > 0)
)
SELECT
  covered.event_id,
  covered.object || ' mounts a volume at ' || string_agg(DISTINCT path, ', ') || ' over ' || min(image) AS reason,
  CASE
    WHEN bool_or(covered.is_privileged) OR bool_or(coalesce(workload.host_pid, false)) OR bool_or(coalesce(workload.host_network, false))
      OR bool_or(coalesce(workload.host_ipc, false)) THEN 'high'
    ELSE 'medium'
  END AS severity
FROM covered
JOIN workloads AS workload ON workload.cluster = covered.cluster AND workload.event_id = covered.event_id
WHERE NOT coalesce(workload.made_by_controller, false) AND workload.identity_kind <> 'controller'
GROUP BY covered.event_id, covered.object
