/*
id: owner-not-in-log
title: Powerful pod whose controller is not in the log
severity: medium
confidence: medium
risk: 40
attack: [T1610, T1036.005]
tactics: [Execution, Stealth]
description: >-
  A controller creates a pod that can take over its node, and the log has no write of its owner: the author of the
  template is unknown. One row per owner. Severity is high where nothing else in the log mentions the owner's uid, or
  where its command escapes the container, and critical where both apply: the owner reference was forged, and the
  controller's credential was stolen. A platform agent with the published image, program and powers (table
  platform_agents) is low. To avoid detection, an attacker needs the uid of an owner that is older than the log.
blind_spots: >-
  Writes whose bodies are not logged. Pods without dangerous access to their node, such as those that run as a powerful
  account.
false_positives:
  - Node agents installed before the log begins, when a node joins or a pod restarts
triage:
  - >-
    SELECT time, username, verb, object, client_ip, user_agent FROM workloads WHERE owner['uid'] = '<uid of the owner>' ORDER BY time
  - >-
    SELECT time, username, verb, resource, subresource, outcome FROM events WHERE object_uid = '<uid of the owner>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
covers: [WL-005, WS-022]
controls: [AIS-06]
*/
WITH risky AS (
  SELECT *, powers::INT + pid::INT + root::INT AS ways
  FROM pods_of_owners
  WHERE powers OR pid OR ipc OR root OR sensitive
),
-- An owner is identified by its uid, because a name can be reused.
written AS (
  SELECT DISTINCT cluster, object_uid
  FROM all_workloads
  WHERE object_uid IS NOT NULL AND outcome = 'allowed'
),
unwritten AS (
  SELECT risky.*
  FROM risky
  LEFT JOIN written ON written.cluster = risky.cluster AND written.object_uid = owner_uid
  WHERE written.object_uid IS NULL
),
-- Controllers report the status of every owner that they serve.
traced AS (
  SELECT DISTINCT event.cluster, event.object_uid
  FROM all_events AS event
  JOIN (SELECT DISTINCT cluster, owner_uid FROM unwritten) AS owner
    ON owner.cluster = event.cluster AND owner.owner_uid = event.object_uid
  WHERE event.activity IN ('write', 'workload', 'read') AND event.outcome = 'allowed'
)
SELECT
  array_agg(unwritten.event_id ORDER BY time, unwritten.event_id) AS event_id,
  CASE
    -- A published agent with its published program is low, regardless of the author of its owner.
    WHEN bool_and(agent.event_id IS NOT NULL) THEN 'low'
    WHEN bool_or(traced.object_uid IS NULL AND (escapes OR ways > 2)) THEN 'critical'
    WHEN bool_or(escapes OR (traced.object_uid IS NULL AND ways > 1)) THEN 'high'
    ELSE 'medium'
  END AS severity,
  min(object) || ' of ' || min(owner_kind || ' ' || owner_name) || ' has '
    || concat_ws(', ',
      CASE WHEN bool_or(powers) THEN 'a privileged container or equivalent capabilities' END,
      CASE WHEN bool_or(pid) THEN 'hostPID' END,
      CASE WHEN bool_or(ipc) THEN 'hostIPC' END,
      CASE WHEN bool_or(root) THEN 'the root directory of the node' END,
      CASE WHEN bool_or(sensitive AND NOT root) THEN 'a sensitive path of the node' END,
      CASE WHEN bool_or(escapes) THEN 'a container escape command' END)
    || '; the author of the owner is not in the log'
    || CASE WHEN bool_or(traced.object_uid IS NULL) THEN ', nor is any other trace of the owner' ELSE '' END AS reason
FROM unwritten
LEFT JOIN platform_add_ons AS agent ON agent.cluster = unwritten.cluster AND agent.event_id = unwritten.event_id
LEFT JOIN traced ON traced.cluster = unwritten.cluster AND traced.object_uid = unwritten.owner_uid
GROUP BY unwritten.cluster, owner_uid
