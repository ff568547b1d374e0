/*
id: policy-bypass
title: Admission policy bypass by label or annotation
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1610, T1548]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written with a label or annotation that makes an admission policy skip it. This is intended for
  emergencies, and bypasses every check.
blind_spots: Bypasses that are not in the table policy_bypasses.
false_positives:
  - Incident response
references:
  - https://cloud.google.com/binary-authorization/docs/using-breakglass
covers: [WL-048]
controls: [AIS-06]
*/
SELECT DISTINCT event_id, object || ' sets ' || entry['key'] || coalesce('=' || entry['value'], '') || ', which exempts it from ' || product AS reason
FROM (
  SELECT event_id, object, unnest(map_entries(annotations)) AS entry FROM authored_workloads
  UNION ALL
  SELECT event_id, object, unnest(map_entries(labels)) AS entry FROM authored_workloads
  UNION ALL
  SELECT event_id, object, unnest(map_entries(pod_annotations)) AS entry FROM authored_workloads
  UNION ALL
  SELECT event_id, object, unnest(map_entries(pod_labels)) AS entry FROM authored_workloads
)
JOIN policy_bypasses ON entry['key'] LIKE key AND coalesce(entry['value'], '') LIKE value
