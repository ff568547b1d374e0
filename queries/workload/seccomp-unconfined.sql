/*
id: seccomp-unconfined
title: Seccomp disabled
severity: medium
routine: low
confidence: high
risk: 25
attack: [T1610, T1685]
tactics: [Execution, Defense Impairment]
description: >-
  A workload is written that disables the seccomp filter for the pod or a container. All system calls, including
  vulnerable ones, are available to it.
blind_spots: Writes logged at Metadata level. Containers without a profile, for which the node's default applies.
false_positives:
  - Debuggers and profilers
  - Old charts
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
  - https://kubernetes.io/docs/tutorials/security/seccomp/
covers: [WL-018]
controls: [AIS-06]
*/
SELECT DISTINCT event_id, object || ' runs without seccomp' AS reason
FROM (SELECT event_id, object, seccomp_profile, unnest(containers) AS container FROM pods_workloads)
WHERE coalesce(container['seccomp_profile'], seccomp_profile) = 'Unconfined'
UNION ALL
-- Before Kubernetes 1.30, an annotation of the pod set the profile.
SELECT DISTINCT event_id, object || ' runs without seccomp, by annotation ' || entry['key'] AS reason
FROM (SELECT event_id, object, unnest(map_entries(pod_annotations)) AS entry FROM pods_workloads)
WHERE (entry['key'] = 'seccomp.security.alpha.kubernetes.io/pod' OR starts_with(entry['key'], 'container.seccomp.security.alpha.kubernetes.io/')) AND entry['value'] = 'unconfined'
