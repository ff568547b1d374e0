/*
id: security-agent-removed
title: Security agent removed or changed
severity: medium
confidence: medium
risk: 40
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  A workload of a security product, recognised by its name or image, is deleted or kept from running: scaled to zero,
  sent to nodes that do not exist, or given another command, image or rights, resources that no node has, or an owner
  that does not exist. For accounts in the agent's own namespace, only changes that stop the agent count: for other
  changes, an attacker would need the token of the product's operator.
blind_spots: Agents under other names, whose image the log does not show. A tag that does not exist.
false_positives:
  - Manual upgrades
references:
  - https://attack.mitre.org/techniques/T1685/
covers: [DE-010]
*/
SELECT event_id, string_agg(reason, '; ') AS reason
FROM (
  SELECT event_id, reason
  FROM security_agent_writes
  WHERE in_scope AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous', 'node', 'system')
    AND (identity_kind <> 'service_account' OR change IN ('stopped', 'collected', 'removed'))
    -- Operators maintain their own agents: an attacker needs the token of an account named as an operator in that
    -- namespace.
    AND NOT (identity_kind = 'service_account' AND (service_account_namespace IS NOT DISTINCT FROM namespace) AND change = 'removed'
      AND regexp_like(username, '[:-](operator|controller-manager|operator-controller-manager)$'))
  UNION ALL
  SELECT
    scaled.event_id,
    scaled.verb || ' of ' || concat_ws('/', scaled.resource, scaled.subresource) || ' ' || coalesce(scaled.name, '') || ' in '
      || coalesce(scaled.namespace, '') || ', which belongs to ' || agent.product || ': no replicas' AS reason
  FROM events AS scaled
  JOIN security_agent_objects AS agent
    ON agent.cluster = scaled.cluster AND agent.resource = scaled.resource AND agent.namespace = scaled.namespace
    AND agent.name = scaled.name
  WHERE scaled.activity = 'workload' AND scaled.subresource = 'scale' AND scaled.scale_replicas = 0 AND scaled.outcome = 'allowed'
    AND scaled.identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous', 'node', 'system')
  UNION ALL
  SELECT event_id, verb || ' of namespace ' || name || ', which belongs to ' || product AS reason
  FROM events
  JOIN security_namespaces ON events.name = security_namespaces.namespace
  WHERE activity = 'write' AND resource = 'namespaces' AND subresource IS NULL AND verb = 'delete' AND outcome = 'allowed'
    AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous', 'node', 'system')
)
GROUP BY event_id
