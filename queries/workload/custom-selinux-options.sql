/*
id: custom-selinux-options
title: Custom SELinux options
severity: low
confidence: high
risk: 10
attack: [T1610, T1685]
tactics: [Execution, Defense Impairment]
description: >-
  A workload is written with SELinux options outside the set that the Pod Security Standards allow, such as the
  unconfined type spc_t.
blind_spots: Writes logged at Metadata level.
false_positives:
  - Storage agents, and backup software on OpenShift
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-021]
controls: [AIS-06]
*/
SELECT event_id, object || ' sets custom SELinux options' AS reason
FROM pods_workloads
WHERE array_has(pod_security_failed, 'seLinuxOptions')
