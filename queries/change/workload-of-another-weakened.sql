/*
id: workload-of-another-weakened
title: Another identity's workload changed for node takeover
severity: high
routine: low
confidence: medium
risk: 50
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  An identity changes a workload that others wrote, and that it never wrote itself, so that it becomes privileged, uses
  host process or IPC namespaces, mounts a hostPath volume or gains dangerous capabilities. The change runs under the
  name of its owners. The author is derived from the written content, not from the field manager.
blind_spots: >-
  Workloads whose author is not in the log. An intruder who wrote the workload before, without dangerous settings.
false_positives:
  - Administrators who repair an agent that another person created
triage:
  - >-
    SELECT time, username, verb, object, body_source FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-060]
controls: [AIS-06]
*/
WITH weakened AS (
  SELECT
    event_id, time, cluster, api_group, resource, namespace, name, object,
    coalesce(impersonated_username, username) AS who,
    string_agg(DISTINCT field || coalesce(' ' || after, ''), ', ') AS what
  FROM workload_changes
  LEFT JOIN capabilities AS capability ON field = 'capabilities.add' AND after = capability.capability
  WHERE change = 'security weakened'
    AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
    AND (field IN ('hostPath')
      OR (field IN ('privileged', 'hostPID', 'hostIPC', 'hostProcess') AND after = 'true')
      OR (field = 'capabilities.add' AND (capability.danger = 'dangerous' OR after = 'ALL')))
  GROUP BY event_id, time, cluster, api_group, resource, namespace, name, object, coalesce(impersonated_username, username)
),
writers AS (
  SELECT cluster, api_group, resource, namespace, name, time, coalesce(impersonated_username, username) AS who
  FROM all_workloads
  WHERE outcome = 'allowed' AND verb IN ('create', 'update', 'patch') AND NOT made_by_controller
),
authors AS (
  SELECT
    weakened.event_id, weakened.object, weakened.who, weakened.what,
    max(writers.who) FILTER (WHERE writers.who <> weakened.who) AS author,
    bool_or(writers.who = weakened.who) AS wrote_before
  FROM weakened
  JOIN writers
    ON writers.cluster = weakened.cluster AND writers.resource = weakened.resource AND writers.name = weakened.name
    AND (writers.api_group IS NOT DISTINCT FROM weakened.api_group)
    AND (writers.namespace IS NOT DISTINCT FROM weakened.namespace)
    AND writers.time < weakened.time
  GROUP BY weakened.event_id, weakened.object, weakened.who, weakened.what
)
SELECT event_id, who || ' changes ' || object || ' of ' || author || ': ' || what AS reason
FROM authors
WHERE author IS NOT NULL AND NOT wrote_before
