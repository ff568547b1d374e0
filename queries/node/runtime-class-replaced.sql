/*
id: runtime-class-replaced
title: RuntimeClass handler replaced
severity: medium
confidence: medium
risk: 25
attack: [T1685, T1611]
tactics: [Defense Impairment, Privilege Escalation]
description: >-
  A RuntimeClass is recreated with another handler, or has the name of a sandbox (gVisor, Kata Containers) and the
  handler of plain containers. Pods that request the sandbox run without it. The handler is immutable, so an attacker
  deletes the RuntimeClass first. Where the log does not show the previous handler, it counts as different.
blind_spots: A handler that the configuration of the runtime maps to plain containers.
false_positives:
  - Manual installation of a new sandbox version
triage:
  - >-
    SELECT time, username, verb, name, request_object, outcome FROM events WHERE resource = 'runtimeclasses' AND name = '<name>' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/containers/runtime-class/
  - https://attack.mitre.org/techniques/T1685/
covers: [DE-009]
controls: [AIS-06]
*/
WITH written AS (
  SELECT
    event_id, time, cluster, username, identity_kind, created, name, in_scope,
    coalesce(json_get_str(response_object, 'handler'), json_get_str(request_object, 'handler')) AS handler
  FROM all_events
  WHERE activity = 'write' AND api_group = 'node.k8s.io' AND resource = 'runtimeclasses' AND subresource IS NULL AND outcome = 'allowed'
    AND verb IN ('create', 'update', 'patch', 'delete')
),
compared AS (
  SELECT
    *,
    lag(event_id) OVER before AS event_before,
    last_value(handler) IGNORE NULLS OVER (
      PARTITION BY cluster, name ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS handler_before
  FROM written
  WINDOW before AS (PARTITION BY cluster, name ORDER BY time, event_id)
)
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' creates RuntimeClass ' || coalesce(name, '') || ' with handler ' || handler
    || CASE WHEN event_before IS NULL THEN ', the handler of plain containers' ELSE coalesce(', previously ' || handler_before, ', previous handler unknown') END AS reason
FROM compared
WHERE in_scope AND created AND identity_kind <> 'controller' AND handler IS NOT NULL
  AND (((handler IS DISTINCT FROM handler_before) AND event_before IS NOT NULL)
    OR (handler IN ('runc', 'crun', 'youki') AND regexp_like(name, 'gvisor|runsc|kata|sandbox|firecracker|quark|inclavare|confidential', 'i')))
