/*
id: code-loading-environment
title: Code-loading environment variable (LD_PRELOAD and similar)
severity: medium
confidence: medium
risk: 40
attack: [T1546, T1525]
tactics: [Persistence, Privilege Escalation, Defense Impairment]
description: >-
  A container is written with an environment variable by which its program loads code that is not its own (`LD_PRELOAD`,
  `BASH_ENV`, `PYTHONSTARTUP`, `NODE_OPTIONS`, `JAVA_TOOL_OPTIONS` and so on): image, command and arguments stay as they
  were, and what runs is somebody else's. It is high where the workload reaches its node, low where the value names a
  library or an agent of the image's own folders, as tracing does. Variables that lead the requests of a program
  through another host are told as info.
blind_spots: >-
  Writes that are logged at Metadata level, whole ConfigMaps and Secrets as environment, and variables of programs that
  are not in the table code_loading_variables. What a value from a Secret or ConfigMap says is not visible.
false_positives:
  - Tracing and profiling agents, injected by their operators
  - Another allocator of memory, such as jemalloc
triage:
  - >-
    SELECT role, name, image, command, args, privileged, env, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT change, container, field, before, after FROM changes WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, object, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1574/006/
  - https://man7.org/linux/man-pages/man8/ld.so.8.html
covers: [WL-059]
controls: [AIS-06]
*/
SELECT
  loads.event_id,
  concat(role, ' ', container, ' of ', object, ' sets ', variable, coalesce(concat('=', left(value, 200)), ' from elsewhere'), ', by which ', program,
    CASE WHEN how = 'traffic' THEN ' reaches other hosts' ELSE ' loads code' END) AS reason,
  CASE
    WHEN how = 'traffic' THEN 'info'
    WHEN reaches_node THEN 'high'
    -- A file of the image's own folders, or an option that names one.
    WHEN regexp_like(value, '^(-javaagent:|-agentpath:|--require[ =]|-r )?/(usr|lib|lib64|opt|app|otel-auto-instrumentation[a-z-]*|newrelic-instrumentation|datadog-lib)/[A-Za-z0-9_./=,-]*$')
      AND NOT contains(value, '..') THEN 'low'
    WHEN value IS NULL AND secret_name IS NULL THEN 'low'
    ELSE 'medium'
  END AS severity
FROM (
  SELECT loads.*, coalesce(pod_security_level = 'privileged', coalesce(privileged, false)) AS reaches_node
  FROM code_loading_env AS loads
  JOIN (SELECT cluster, event_id, pod_security_level FROM workloads) AS written
    ON written.cluster = loads.cluster AND written.event_id = loads.event_id
) AS loads
WHERE outcome = 'allowed' AND NOT made_by_controller AND (identity_kind IS DISTINCT FROM 'node')
