/*
id: privileged-ephemeral-container
title: Privileged ephemeral container
severity: high
confidence: high
risk: 50
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  An identity adds an ephemeral container with more rights than a debugger needs: privileged, with all capabilities, or
  with one that allows an escape. SYS_PTRACE alone is the default of kubectl debug.
blind_spots: Writes logged at Metadata level.
false_positives:
  - kubectl debug --profile=sysadmin by node administrators
triage:
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, kind, namespace, name, client_ip, user_agent, outcome FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, subresource, name, command_line FROM execs WHERE namespace = '<namespace>' AND name LIKE '<name>%' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
covers: [WL-056]
controls: [AIS-06]
*/
SELECT DISTINCT
  event_id,
  'ephemeral container ' || coalesce(name, '') || ' of ' || object || CASE WHEN is_privileged THEN ' is privileged' ELSE ' adds ' || added END AS reason
FROM (
  SELECT event_id, name, object, coalesce(privileged, false) AS is_privileged, unnest(coalesce(capabilities_add, make_array(NULL))) AS added
  FROM pods_containers
  WHERE role = 'ephemeral'
)
LEFT JOIN capabilities ON added = capability
WHERE is_privileged OR added = 'ALL' OR (danger = 'dangerous' AND added <> 'SYS_PTRACE')
