/*
id: privileged-in-system-namespace
title: Privileged workload with an unknown image in a system namespace
severity: high
routine: low
confidence: medium
risk: 40
attack: [T1610, T1036.005, T1611]
tactics: [Execution, Privilege Escalation, Stealth]
description: >-
  A person creates in a platform namespace a workload that is privileged or uses the host PID namespace, with an image
  of no known platform vendor. The workload controls its node and is hidden by the namespace. To avoid detection, an
  attacker needs an image in a repository of the table platform_images.
blind_spots: Namespaces and images that are not in the tables.
false_positives:
  - An administrator who installs an in-house driver or sensor by hand
references:
  - https://attack.mitre.org/techniques/T1036/005/
covers: [WL-030, WL-005]
controls: [AIS-06]
*/
WITH images AS (
  SELECT container.event_id, min(image) AS foreign_image
  FROM authored_containers AS container
  LEFT JOIN platform_images AS platform
    ON concat(container.registry, '/', container.repository) LIKE platform.repository
  WHERE identity_kind IN ('human', 'anonymous') AND platform.product IS NULL
  GROUP BY container.event_id
)
SELECT
  written.event_id,
  coalesce(username, 'an unknown identity') || ' creates ' || object || ' in ' || written.namespace || ', '
    || CASE WHEN controls_node THEN 'privileged' ELSE 'with the host PID namespace' END || ', with image ' || foreign_image AS reason
FROM authored_workloads AS written
JOIN images ON images.event_id = written.event_id
JOIN container_powers ON container_powers.event_id = written.event_id
JOIN system_namespaces AS system ON written.namespace LIKE system.namespace
WHERE written.identity_kind IN ('human', 'anonymous') AND created AND subresource IS NULL
  AND (controls_node OR coalesce(host_pid, false)) AND foreign_image IS NOT NULL
