/*
id: default-namespace
title: Workload in the default namespace
severity: low
confidence: high
risk: 3
attack: [T1610]
tactics: [Execution]
description: >-
  A workload is created in the namespace default, which often has no owner and few policies. It is used for tests, and
  by attackers who want to remain unnoticed.
blind_spots: >-
  None: the namespace is in every event.
false_positives:
  - Labs and quick tests
references:
  - https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
covers: [WL-031]
controls: [AIS-06]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' creates ' || object || ' in the default namespace' AS reason
FROM authored_workloads
WHERE namespace = 'default' AND created AND subresource IS NULL
  AND identity_kind <> 'controller'
