/*
id: working-directory-of-the-runtime
title: Working directory inside the container runtime's files
severity: high
confidence: high
risk: 70
attack: [T1611, T1610]
tactics: [Privilege Escalation, Execution]
description: >-
  A container has a working directory below `/proc/<process>/fd`, `/dev/fd` or the root of another process. With runc
  before 1.1.12 it starts in the file system of its node (CVE-2024-21626). No program needs such a directory.
blind_spots: A working directory set by the image.
false_positives:
  - Runtime tests
triage:
  - >-
    SELECT time, username, verb, object, name, image, working_dir, command, args FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, object, outcome FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://github.com/opencontainers/runc/security/advisories/GHSA-xr7r-f8xq-vfvv
  - https://attack.mitre.org/techniques/T1611/
covers: [WL-005]
controls: [AIS-06]
*/
SELECT
  event_id,
  role || ' ' || coalesce(name, '') || ' of ' || object || ' starts in ' || working_dir AS reason
FROM containers
WHERE outcome = 'allowed' AND NOT made_by_controller
  AND (regexp_like(normalize_path(working_dir), '^/(proc/[^/]+/(task/[^/]+/)?(fd|map_files|root|cwd)|dev/fd)(/|$)')
    -- The root of process 1 is that of the node.
    OR (regexp_like(working_dir, '(^|/\.\./)(/|\./|\.\./)*proc(/|$)') AND NOT starts_with(normalize_path(working_dir), '/proc')))
