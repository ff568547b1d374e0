/*
id: pod-security-danger-unseen
title: Pod Security violation not visible in the logged body
severity: medium
routine: low
confidence: high
risk: 35
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  The body of a workload write is not logged, but Pod Security admission recorded that the workload is privileged, uses
  a host namespace, mounts a hostPath volume, adds a dangerous capability, disables seccomp or runs as a host process.
blind_spots: >-
  Namespaces without an audit level. Repeated violations of the same object, such as at each rollout restart: an
  attacker would need a workload with the same violations already in the log. Repeated writes by a service account with
  the same violations of the same containers and volumes in the same namespace are low for an object with another name:
  an attacker would need the token of an account that creates such workloads.
false_positives:
  - Platform agents in namespaces with an audit level
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-admission/
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-029, WL-001, WL-002, WL-003, WL-007, WL-013]
controls: [AIS-06]
*/
WITH recorded AS (
  SELECT
    event_id, cluster, time, verb, resource, namespace, name, username, impersonated_username, identity_kind, workload, in_scope,
    annotations['pod-security.kubernetes.io/audit-violations'] AS violations
  FROM all_events
  WHERE activity = 'workload' AND outcome = 'allowed' AND annotations['pod-security.kubernetes.io/audit-violations'] IS NOT NULL
),
-- Only dangerous settings: other checks of the restricted level change with every harmless container.
dangers AS (
  SELECT
    *,
    regexp_replace(
      regexp_replace(violations, '^would violate PodSecurity "[^"]*": ', ''),
      '(allowPrivilegeEscalation != false|runAsNonRoot != true|runAsUser=0|unrestricted capabilities|seccompProfile) \([^();]*must (set|not set runAsUser=0)[^();]*\)(, )?', '', 'g') AS danger
  FROM recorded
),
numbered AS (
  SELECT
    *,
    -- An object without a name is a different one each time.
    row_number() OVER (PARTITION BY cluster, resource, namespace, coalesce(name, event_id), danger ORDER BY time, event_id) AS nth,
    row_number() OVER (PARTITION BY cluster, username, impersonated_username, resource, namespace, danger ORDER BY time, event_id) AS nth_of_account
  FROM dangers
)
SELECT
  event_id, verb || ' of ' || resource || ' ' || coalesce(name, '') || ': ' || violations AS reason,
  CASE WHEN identity_kind = 'service_account' AND nth_of_account > 1 THEN 'low' ELSE 'medium' END AS severity
FROM numbered
WHERE in_scope AND identity_kind NOT IN ('controller', 'node') AND nth = 1
  AND coalesce(workload['body_source'], 'none') = 'none'
  AND regexp_like(violations,
    'privileged \(|host(PID|IPC)=true|hostPath volumes|volume type "hostPath"|hostProcess|must not include[^;)]*"(ALL|SYS_ADMIN|SYS_MODULE|SYS_PTRACE|SYS_RAWIO|SYS_BOOT|SYSLOG|BPF|PERFMON|DAC_READ_SEARCH|NET_ADMIN)"|must not (set|include).*Unconfined')
