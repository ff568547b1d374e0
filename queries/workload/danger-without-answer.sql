/*
id: danger-without-answer
title: Dangerous workload write that hides the object from the log
severity: high
confidence: high
risk: 60
attack: [T1610, T1611, T1036]
tactics: [Execution, Privilege Escalation, Stealth]
description: >-
  A workload is written with settings that allow node takeover (a privileged container, dangerous capabilities, host
  namespaces, a hostPath volume), and the client requests a Table or only metadata as the response, so that the log does
  not contain the object. Installation tools have no reason to do this. The request or earlier versions provide the
  evidence.
blind_spots: Writes logged below RequestResponse. A patch that does not change the dangerous part.
false_positives:
  - In-house tools that print a table after they install an agent
triage:
  - >-
    SELECT verb, object, body_source, partial_answer, host_pid, volumes FROM workloads WHERE event_id = '<event_id>'
  - >-
    SELECT role, name, image, command, args, privileged, capabilities_add FROM containers WHERE event_id = '<event_id>'
references:
  - https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
covers: [WL-060]
controls: [AIS-06]
*/
WITH hidden AS (
  SELECT event_id, object, partial_answer, host_pid, host_ipc FROM pods_workloads WHERE partial_answer IS NOT NULL
),
powers AS (
  SELECT
    event_id,
    bool_or(coalesce(privileged, false)) AS privileged,
    bool_or(coalesce(host_process, false)) AS host_process,
    bool_or(capability.danger IS NOT NULL) AS capabilities
  FROM (SELECT event_id, privileged, host_process, unnest(CASE WHEN cardinality(capabilities_add) > 0 THEN capabilities_add ELSE make_array(NULL) END) AS added FROM pods_containers) AS held
  LEFT JOIN (SELECT capability, danger FROM capabilities WHERE danger = 'dangerous' UNION ALL SELECT 'ALL', 'dangerous') AS capability
    ON held.added = capability.capability
  GROUP BY event_id
),
paths AS (
  SELECT event_id, string_agg(DISTINCT host_path, ', ') AS paths FROM pods_host_paths
  WHERE writable OR inside IS NOT NULL OR cardinality(holds) > 0
  GROUP BY event_id
)
SELECT
  hidden.event_id,
  object || ' written with ' || concat_ws(', ',
    CASE WHEN privileged THEN 'a privileged container' END,
    CASE WHEN host_process THEN 'a host process' END,
    CASE WHEN capabilities THEN 'dangerous capabilities' END,
    CASE WHEN host_pid THEN 'hostPID' END,
    CASE WHEN host_ipc THEN 'hostIPC' END,
    'host path ' || paths) || ', answered with ' || partial_answer AS reason
FROM hidden
LEFT JOIN powers ON powers.event_id = hidden.event_id
LEFT JOIN paths ON paths.event_id = hidden.event_id
WHERE coalesce(privileged, false) OR coalesce(host_process, false) OR coalesce(capabilities, false)
  OR coalesce(host_pid, false) OR coalesce(host_ipc, false) OR paths IS NOT NULL
