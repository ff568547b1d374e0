/*
id: quota-stops-guards
title: Quota or limits that block security agents or platform pods
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1685, T1499]
tactics: [Defense Impairment, Impact]
description: >-
  A ResourceQuota or LimitRange that allows no pods, or hardly any CPU or memory, is written into a namespace of a
  security product or of the platform. Deleted or evicted pods do not come back, although the product itself is
  unchanged.
blind_spots: Writes logged at Metadata level. Limits that are low but not near zero.
false_positives:
  - Limits against pods of people in a platform namespace
triage:
  - SELECT time, username, verb, namespace, name, request_object FROM events WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, resource, name, outcome FROM events WHERE namespace = '<namespace>' AND outcome <> 'allowed' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/policy/resource-quotas/
covers: [DE-010]
*/
SELECT DISTINCT
  event_id,
  coalesce(username, 'an unknown identity') || ' writes ' || resource || ' ' || coalesce(name, '') || ' into ' || written.namespace || ', a namespace of ' || coalesce(product, owner)
    || ', with ' || limits AS reason
FROM (
  SELECT
    event_id, username, service_account_namespace, resource, namespace, name,
    CASE resource
      WHEN 'limitranges' THEN json_get_json(request_object, 'spec', 'limits')
      ELSE coalesce(json_get_json(request_object, 'spec', 'hard'), CASE WHEN starts_with(ltrim(request_object), '[') THEN request_object END)
    END AS limits
  FROM events
  WHERE activity = 'write' AND resource IN ('resourcequotas', 'limitranges') AND subresource IS NULL AND outcome = 'allowed'
    AND verb IN ('create', 'update', 'patch') AND identity_kind <> 'controller'
) AS written
LEFT JOIN security_namespaces ON security_namespaces.namespace = written.namespace
LEFT JOIN system_namespaces ON written.namespace LIKE system_namespaces.namespace
WHERE (product IS NOT NULL OR owner IS NOT NULL)
  -- A product may limit itself.
  AND (service_account_namespace IS DISTINCT FROM written.namespace)
  AND regexp_like(limits, '"(value|pods|count/(pods|[a-z.]*(daemonsets|deployments|replicasets|statefulsets)[a-z.]*)|(requests|limits)[.](cpu|memory|ephemeral-storage)|cpu|memory)" *: *"?(0|0?[.]0*[1-9]|[1-9]m|[1-4][0-9]m|[0-9]+|[0-9]+m|[0-9]{1,4}Ki|[1-9]Mi|[12][0-9]Mi)"?[,}\]]')
  -- Plain numbers are cores, pods, and bytes of memory: zero of the former, and less than a megabyte of the latter.
  AND (regexp_like(limits, '"(value|pods|count/[a-z./]*|(requests|limits)[.]cpu|cpu)" *: *"?(0+m?|[1-9]m|[1-4][0-9]m|0?[.]0[0-9]*)"?[,}\]]')
    OR regexp_like(limits, '"((requests|limits)[.](memory|ephemeral-storage)|memory)" *: *"?([0-9]{1,6}|[0-9]{1,4}[Kk]i?|[1-9]M|[12]?[0-9]Mi)"?[,}\]]'))
