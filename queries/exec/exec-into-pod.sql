/*
id: exec-into-pod
aliases: [exec-interactive-shell, exec-in-system-namespace]
title: Exec into a pod
severity: low
confidence: high
risk: 25
attack: [T1609, T1059.004]
tactics: [Execution, Privilege Escalation]
description: >-
  A command is run in a running container, often an interactive shell. It has the rights of the pod and leaves no change
  in any manifest. In a pod of the platform, which often controls nodes or holds credentials of the cluster, the
  severity is medium, except for commands that only print a status.
false_positives:
  - Engineers at work, and operators that run checks in their pods
  - Engineers at work
  - Engineers who troubleshoot the platform in one of its pods
references:
  - https://attack.mitre.org/techniques/T1609/
  - https://docs.aws.amazon.com/guardduty/latest/ug/guardduty-finding-types-eks-audit-logs.html
covers: [EX-001, EX-014, EX-004]
*/
SELECT DISTINCT
  event_id,
  CASE WHEN owner IS NOT NULL AND identity_kind <> 'controller' AND NOT is_status THEN 'medium' ELSE 'low' END AS severity,
  concat(
    CASE WHEN is_shell THEN 'opens ' ELSE 'runs ' END, coalesce('"' || left(command_line, 300) || '"', 'a command'), ' in pod ', name,
    ' of ' || owner, ', through the kubelet of ' || node,
    CASE WHEN status_code < 400 THEN '' ELSE coalesce(', answered with ' || status_code, ', no response yet') END) AS reason
FROM (
  SELECT
    execs.*, status_execs.event_id IS NOT NULL AS is_status,
    tty OR (stdin AND regexp_like(command_line, '^(/\S*/)?((env|busybox)\s+)?((ba|da|z|k|a|c|tc|fi)?sh|pwsh|powershell(\.exe)?|cmd(\.exe)?)(\s+-\S+)*$', 'i')) AS is_shell
  FROM execs
  LEFT JOIN status_execs ON status_execs.cluster = execs.cluster AND status_execs.event_id = execs.event_id
  -- An exec cannot be a dry run, even if its URL contains dryRun.
  WHERE subresource = 'exec' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
) AS used
LEFT JOIN system_namespaces ON used.namespace LIKE system_namespaces.namespace
