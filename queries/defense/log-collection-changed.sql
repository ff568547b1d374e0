/*
id: log-collection-changed
title: Log collection changed
severity: low
confidence: low
risk: 15
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  The workload or the configuration of a log collector, or the audit settings of the cluster, are deleted or changed.
  Later events may be lost.
blind_spots: Collectors under other names. Audit policies on the disk of the control plane.
false_positives:
  - Upgrades and maintenance of logging
triage:
  - SELECT date, resource, verb, level, requests FROM coverage ORDER BY date
references:
  - https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/
covers: [DE-008]
*/
SELECT event_id, act || ': ' || string_agg(what, '; ') AS reason
FROM guard_writes
WHERE in_scope AND kind = 'log' AND identity_kind <> 'controller' AND change NOT IN ('certificate')
GROUP BY event_id, act
UNION ALL
SELECT event_id, verb || ' of ' || resource || ' ' || coalesce(name, '') || coalesce(' in ' || namespace, '') || ' by ' || coalesce(username, 'an unknown identity') AS reason
FROM events
WHERE outcome = 'allowed' AND identity_kind IN ('human', 'anonymous') AND subresource IS NULL
  AND verb IN ('update', 'patch', 'delete', 'deletecollection')
  AND resource IN ('daemonsets', 'deployments', 'statefulsets', 'configmaps')
  AND regexp_like(concat_ws('/', namespace, name), '(^|[-/])(fluent-bit|fluentbit|fluentd|promtail|vector|filebeat|logstash|alloy|otel-collector|audit-log|audit-policy|cloudwatch-agent)(-|$)')
