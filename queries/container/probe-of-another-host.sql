/*
id: probe-of-another-host
title: Probe or lifecycle hook that calls another host
severity: medium
routine: low
confidence: medium
risk: 20
attack: [T1610, T1046]
tactics: [Execution, Discovery]
description: >-
  A workload is written with a probe or a lifecycle hook that calls another host. The kubelet makes the call from the
  node's network: it reaches the metadata service and hosts protected by network policies, and the response shows in the
  pod's status.
false_positives:
  - Old charts that name a host served by their pod
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-025]
controls: [AIS-06]
*/
SELECT event_id, handler['name'] || ' of ' || role || ' ' || coalesce(name, '') || ' of ' || object || ' calls ' || handler['host'] AS reason
FROM (SELECT event_id, role, name, object, unnest(handlers) AS handler FROM authored_containers)
WHERE handler['host'] <> '' AND NOT regexp_like(handler['host'], '^(localhost|127\.[0-9.]+|::1|\[::1\]|0\.0\.0\.0)$')
