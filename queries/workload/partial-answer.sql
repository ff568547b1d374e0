/*
id: partial-answer
title: Workload or role write that hides the object from the log
aliases: [danger-without-answer]
severity: low
confidence: medium
risk: 60
attack: [T1610, T1036, T1611]
tactics: [Execution, Stealth, Privilege Escalation]
description: >-
  A workload, role or binding is written, and the client requests a Table or only metadata as the response. The audit
  log then does not contain the resulting object. Command-line tools request this only for reads, and controllers only
  when they write metadata; writes that change neither the pod template nor the rights of a role do not count. Severity
  is high for a workload with settings that allow node takeover (a privileged container, dangerous capabilities, host
  namespaces, a hostPath volume), which the request or earlier versions show.
blind_spots: Writes logged below RequestResponse. A patch that does not change the dangerous part.
false_positives:
  - Dashboards that print a table after each write
  - In-house tools that print a table after they install an agent
triage:
  - >-
    SELECT verb, resource, name, partial_answer, request_object FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT verb, resource, partial_answer, count(*) FROM events WHERE username = '<identity>' GROUP BY verb, resource, partial_answer
references:
  - https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
covers: [WL-060]
controls: [AIS-06]
*/
WITH paths AS (
  SELECT event_id, string_agg(DISTINCT host_path, ', ') AS paths
  FROM authored_host_paths
  WHERE writable OR inside IS NOT NULL OR cardinality(holds) > 0
  GROUP BY event_id
),
dangers AS (
  SELECT
    written.event_id,
    nullif(concat_ws(', ',
      CASE WHEN powers.privileged THEN 'a privileged container' END,
      CASE WHEN powers.host_process THEN 'a host process' END,
      CASE WHEN has_dangerous_capability THEN 'dangerous capabilities' END,
      CASE WHEN host_pid THEN 'hostPID' END,
      CASE WHEN host_ipc THEN 'hostIPC' END,
      'host path ' || paths), '') AS danger
  FROM authored_workloads AS written
  LEFT JOIN container_powers AS powers ON powers.event_id = written.event_id
  LEFT JOIN paths ON paths.event_id = written.event_id
  WHERE partial_answer IS NOT NULL
)
SELECT
  event.event_id,
  CASE WHEN danger IS NULL THEN 'low' ELSE 'high' END AS severity,
  verb || ' of ' || resource || ' ' || coalesce(name, '') || coalesce(' with ' || danger, '') || ' answered with ' || partial_answer AS reason
FROM events AS event
LEFT JOIN dangers ON dangers.event_id = event.event_id
WHERE partial_answer IS NOT NULL AND outcome = 'allowed'
  AND (danger IS NOT NULL
    OR (subresource IS NULL AND verb IN ('create', 'update', 'patch')
      AND ((activity = 'workload' AND workload IS NOT NULL) OR (activity = 'rbac' AND rbac IS NOT NULL))
      AND (identity_kind IS NULL OR identity_kind NOT IN ('controller', 'node'))))
