/*
id: app-armor-unconfined
title: AppArmor disabled
severity: medium
routine: low
confidence: high
risk: 20
attack: [T1610, T1685]
tactics: [Execution, Defense Impairment]
description: >-
  A workload is written that disables AppArmor for the pod or a container. Mounts and writes to kernel files are no
  longer blocked.
blind_spots: Writes logged at Metadata level. Containers without a profile, for which the node's default applies.
false_positives:
  - Network plugins and some databases
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
  - https://kubernetes.io/docs/tutorials/security/apparmor/
covers: [WL-019]
controls: [AIS-06]
*/
SELECT DISTINCT event_id, object || ' runs without AppArmor' AS reason
FROM (SELECT event_id, object, app_armor_profile, unnest(containers) AS container FROM pods_workloads)
WHERE coalesce(container['app_armor_profile'], app_armor_profile) = 'Unconfined'
UNION ALL
-- Before Kubernetes 1.30, an annotation of the pod set the profile.
SELECT DISTINCT event_id, object || ' runs without AppArmor, by annotation ' || entry['key'] AS reason
FROM (SELECT event_id, object, unnest(map_entries(pod_annotations)) AS entry FROM pods_workloads)
WHERE starts_with(entry['key'], 'container.apparmor.security.beta.kubernetes.io/') AND entry['value'] = 'unconfined'
