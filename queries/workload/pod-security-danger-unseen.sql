/*
id: pod-security-danger-unseen
title: Pod Security names a danger that the log does not show
severity: medium
routine: low
confidence: high
risk: 35
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  The body of a workload write is not logged, but Pod Security admission recorded that the workload is privileged,
  joins a namespace of the host, mounts a host path, adds a dangerous capability, turns off seccomp or runs as a
  process of the host.
blind_spots: >-
  Namespaces without an audit level. A rollout restart of such a workload does not count; another change of it does.
false_positives:
  - Agents of the platform in namespaces that audit a level
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-admission/
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-029, WL-001, WL-002, WL-003, WL-007, WL-013]
controls: [AIS-06]
*/
SELECT event_id, verb || ' of ' || resource || ' ' || coalesce(name, '') || ': ' || annotations['pod-security.kubernetes.io/audit-violations'] AS reason
FROM events
WHERE activity = 'workload' AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'node')
  AND coalesce(workload['body_source'], 'none') = 'none'
  AND (field_manager IS DISTINCT FROM 'kubectl-rollout')
  AND regexp_like(annotations['pod-security.kubernetes.io/audit-violations'],
    'privileged \(|host(PID|IPC)=true|hostPath volumes|volume type "hostPath"|hostProcess|must not include[^;)]*"(ALL|SYS_ADMIN|SYS_MODULE|SYS_PTRACE|SYS_RAWIO|SYS_BOOT|SYSLOG|BPF|PERFMON|DAC_READ_SEARCH|NET_ADMIN)"|must not (set|include).*Unconfined')
