/*
id: exec-by-service-account
title: Exec by a service account or node
severity: medium
confidence: medium
risk: 25
attack: [T1609, T1078]
tactics: [Execution, Lateral Movement]
description: >-
  A service account or a node runs a command in, or attaches to, a pod that it did not create, and the command is new
  for this identity. CI runners work in pods that they create, operators query state, and nodes never exec. A stolen
  token does.
blind_spots: Repeated runs of the same command by the same identity.
false_positives:
  - Operators that run commands in pods created for them by another controller
references:
  - https://attack.mitre.org/techniques/T1609/
covers: [EX-011]
*/
WITH uses AS (
  SELECT event_id, cluster, username, namespace, name, identity_kind, subresource, command_line, time, outcome, true AS in_scope
  FROM execs
  UNION ALL
  SELECT event_id, cluster, username, namespace, name, identity_kind, subresource, command_line, time, outcome, false AS in_scope
  FROM execs_history
),
numbered AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY cluster, username, subresource, command_line ORDER BY time, event_id) AS nth
  FROM uses
  WHERE identity_kind IN ('service_account', 'node') AND subresource IN ('exec', 'attach')
    AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
)
SELECT
  event_id,
  username || CASE WHEN subresource = 'attach' THEN ' attaches to pod '
    ELSE ' runs ' || coalesce('"' || left(command_line, 300) || '"', 'a command') || ' in pod ' END || coalesce(name, '') AS reason
FROM numbered
LEFT ANTI JOIN own_pods USING (cluster, username, namespace, name)
LEFT ANTI JOIN status_execs USING (cluster, event_id)
WHERE nth = 1 AND in_scope
