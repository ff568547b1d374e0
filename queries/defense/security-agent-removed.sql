/*
id: security-agent-removed
title: Security agent removed or changed
severity: medium
confidence: medium
risk: 40
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  A workload of a security product is deleted or scaled away: what it watched is dark now.
blind_spots: >-
  Agents under other names.
false_positives:
  - Upgrades by hand
triage:
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
  - "SELECT time, username, verb, outcome FROM events WHERE resource = '<resource>' AND name = '<name>' ORDER BY time"
references:
  - https://attack.mitre.org/techniques/T1685/
covers: [DE-010]
*/
SELECT
  event_id,
  verb || ' of ' || concat_ws('/', resource, subresource) || ' ' || coalesce(name, '') || ' in ' || coalesce(namespace, '')
    || ', which belongs to ' || product || CASE WHEN sent_away THEN ': no node fits it' ELSE '' END AS reason
FROM (
  SELECT
    *,
    verb = 'patch' AND subresource IS NULL AND regexp_like(request_object, '"nodeSelector"\s*:\s*\{\s*"') AS sent_away
  FROM events
  WHERE activity = 'workload' AND resource IN ('daemonsets', 'deployments', 'statefulsets') AND outcome = 'allowed'
    AND identity_kind IN ('human', 'service_account', 'anonymous')
)
JOIN security_agents ON regexp_like(concat_ws('/', namespace, name), '(^|[-/])(' || agent || ')(-|$)')
WHERE verb IN ('delete', 'deletecollection')
  OR (subresource = 'scale' AND scale_replicas = 0)
  OR (subresource IS NULL AND verb IN ('update', 'patch') AND workload['replicas'] = 0)
  -- A label that no node has, instead of a deletion.
  OR (sent_away AND NOT regexp_like(request_object, '"containers"\s*:'))
