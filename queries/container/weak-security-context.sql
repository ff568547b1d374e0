/*
id: weak-security-context
title: Root user, privilege escalation or shared process namespace
aliases: [runs-as-root, privilege-escalation-allowed, shared-process-namespace]
severity: low
confidence: high
risk: 5
attack: [T1610, T1068, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with a weak setting that is common in charts: it runs as root (user 0, or runAsNonRoot set to
  false, at the container or, where the container does not set it, at the pod), sets allowPrivilegeEscalation to true,
  so that its processes may gain privileges through setuid programs, or lets its containers see each other's processes,
  environment and files.
blind_spots: Images whose default user is root. Unset allowPrivilegeEscalation, which has the same effect as true.
false_positives:
  - Older images, and software that changes its user itself
  - Charts that set the default explicitly
  - Sidecars that signal or debug the main container
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-017, WL-016, WL-026]
controls: [AIS-06]
*/
SELECT
  event_id,
  container['role'] || ' ' || coalesce(container['name'], '') || ' of ' || object
    || CASE WHEN user_id = 0 THEN ' runs as user 0' ELSE ' may run as root' END AS reason
FROM (
  SELECT
    event_id, object, container,
    coalesce(container['run_as_user'], run_as_user) AS user_id,
    coalesce(container['run_as_non_root'], run_as_non_root) AS non_root
  FROM (SELECT event_id, object, run_as_user, run_as_non_root, unnest(containers) AS container FROM authored_workloads)
)
WHERE user_id = 0 OR (user_id IS NULL AND NOT non_root)
UNION ALL
SELECT event_id, role || ' ' || coalesce(name, '') || ' of ' || object || ' allows privilege escalation' AS reason
FROM authored_containers
WHERE allow_privilege_escalation
UNION ALL
SELECT event_id, object || ' shares the process namespace between its containers' AS reason
FROM authored_workloads
WHERE share_process_namespace
