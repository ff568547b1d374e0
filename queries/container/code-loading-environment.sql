/*
id: code-loading-environment
title: Code-loading environment variable (LD_PRELOAD and similar)
severity: medium
confidence: medium
risk: 40
attack: [T1546, T1525]
tactics: [Persistence, Privilege Escalation, Defense Impairment]
description: >-
  A container is written with an environment variable that makes its program load external code (`LD_PRELOAD`,
  `BASH_ENV`, `PYTHONSTARTUP`, `NODE_OPTIONS`, `JAVA_TOOL_OPTIONS` and similar). Image, command and arguments stay the
  same, but other code runs. Severity is high where the workload has access to its node, and low where the value names a
  library or an agent in the image's own folders, as tracing does. Variables that route requests through another host
  are info.
blind_spots: >-
  Whole ConfigMaps and Secrets as environment. Variables that are not in the table code_loading_variables. Values from a
  Secret or ConfigMap.
false_positives:
  - Tracing and profiling agents injected by their operators
  - Alternative memory allocators, such as jemalloc
triage:
  - >-
    SELECT role, name, image, command, args, privileged, env, volume_mounts FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT change, container, field, before, after FROM changes WHERE event_id = '<event_id>'
references:
  - https://attack.mitre.org/techniques/T1574/006/
  - https://man7.org/linux/man-pages/man8/ld.so.8.html
covers: [WL-059]
controls: [AIS-06]
*/
SELECT
  loads.event_id,
  concat(role, ' ', container, ' of ', object, ' sets ', variable, coalesce(concat('=', left(value, 200)), ' from another object'), ', through which ', program,
    CASE WHEN how = 'traffic' THEN ' routes its requests' ELSE ' loads code' END) AS reason,
  CASE
    WHEN how = 'traffic' THEN 'info'
    WHEN reaches_node THEN 'high'
    -- A file in the image's own folders, or an option that names one.
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
