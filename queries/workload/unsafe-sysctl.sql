/*
id: unsafe-sysctl
title: Unsafe sysctl
severity: low
confidence: high
risk: 10
attack: [T1610]
tactics: [Execution]
description: >-
  A workload is written that sets a kernel parameter outside the safe list. It may affect other pods of the node; the
  kubelet rejects most of these parameters.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Network and database tuning
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
  - https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
covers: [WL-022]
controls: [AIS-06]
*/
SELECT event_id, object || ' sets unsafe sysctl ' || string_agg(DISTINCT sysctl['name'], ', ') AS reason
FROM (SELECT event_id, object, unnest(sysctls) AS sysctl FROM pods_workloads)
LEFT JOIN safe_sysctls ON replace(sysctl['name'], '/', '.') = safe_sysctls.name
WHERE safe_sysctls.name IS NULL
GROUP BY event_id, object
