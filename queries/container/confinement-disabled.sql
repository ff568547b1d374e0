/*
id: confinement-disabled
title: Seccomp, AppArmor, SELinux or /proc protection disabled
aliases: [seccomp-unconfined, app-armor-unconfined, unmasked-proc, custom-selinux-options]
severity: medium
routine: low
confidence: high
risk: 25
attack: [T1610, T1685, T1611]
tactics: [Execution, Defense Impairment, Privilege Escalation]
description: >-
  A workload is written that disables a protection of the kernel: the seccomp filter, so that all system calls are
  available to it; AppArmor, so that mounts and writes to kernel files are not blocked; or the mask of /proc, which
  hides files that configure the kernel (unless the pod has its own user namespace). SELinux options outside the set
  that the Pod Security Standards allow, such as the unconfined type spc_t, are low.
blind_spots: Containers without a profile, for which the node's default applies.
false_positives:
  - Debuggers and profilers
  - Old charts
  - Network plugins and some databases
  - Image builders inside containers
  - Storage agents, and backup software on OpenShift
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
  - https://kubernetes.io/docs/tutorials/security/seccomp/
  - https://kubernetes.io/docs/tutorials/security/apparmor/
covers: [WL-018, WL-019, WL-020, WL-021]
controls: [AIS-06]
*/
WITH annotated AS (
  SELECT event_id, object, unnest(map_entries(pod_annotations)) AS entry FROM authored_workloads
)
SELECT event_id, object || ' runs without seccomp' AS reason, 'medium' AS severity
FROM (SELECT event_id, object, seccomp_profile, unnest(containers) AS container FROM authored_workloads)
WHERE coalesce(container['seccomp_profile'], seccomp_profile) = 'Unconfined'
UNION
SELECT event_id, object || ' runs without AppArmor' AS reason, 'medium' AS severity
FROM (SELECT event_id, object, app_armor_profile, unnest(containers) AS container FROM authored_workloads)
WHERE coalesce(container['app_armor_profile'], app_armor_profile) = 'Unconfined'
UNION
SELECT event_id, container['role'] || ' ' || coalesce(container['name'], '') || ' of ' || object || ' sees /proc unmasked' AS reason, 'medium' AS severity
FROM (SELECT event_id, object, host_users, unnest(containers) AS container FROM authored_workloads)
WHERE container['proc_mount'] = 'Unmasked' AND (host_users IS DISTINCT FROM false)
UNION
SELECT event_id, object || ' sets custom SELinux options' AS reason, 'low' AS severity
FROM authored_workloads
WHERE array_has(pod_security_failed, 'seLinuxOptions')
UNION
-- Before Kubernetes 1.30, annotations of the pod set the profiles.
SELECT event_id, object || ' runs without seccomp, by annotation ' || entry['key'] AS reason, 'medium' AS severity
FROM annotated
WHERE (entry['key'] = 'seccomp.security.alpha.kubernetes.io/pod' OR starts_with(entry['key'], 'container.seccomp.security.alpha.kubernetes.io/'))
  AND entry['value'] = 'unconfined'
UNION
SELECT event_id, object || ' runs without AppArmor, by annotation ' || entry['key'] AS reason, 'medium' AS severity
FROM annotated
WHERE starts_with(entry['key'], 'container.apparmor.security.beta.kubernetes.io/') AND entry['value'] = 'unconfined'
