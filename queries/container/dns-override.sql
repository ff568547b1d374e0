/*
id: dns-override
title: Custom pod DNS configuration
severity: low
confidence: medium
risk: 10
attack: [T1610, T1557]
tactics: [Execution, Credential Access]
description: >-
  A workload is written with its own host aliases or with DNS servers outside the cluster. Its names resolve to
  addresses that another party controls, and its queries are not visible to the cluster.
false_positives:
  - Older applications with fixed addresses
references:
  - https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
covers: [WL-064]
controls: [AIS-06]
*/
SELECT
  event_id,
  concat(workload['kind'], ' ', name) || CASE
    WHEN cardinality(workload['host_aliases']) > 0 THEN ' resolves ' || array_to_string(workload['host_aliases'], ', ')
    ELSE ' uses DNS servers ' || coalesce(array_to_string(workload['dns_nameservers'], ', '), '')
  END AS reason
FROM events
WHERE activity = 'workload' AND workload IS NOT NULL AND outcome = 'allowed'
  AND NOT (identity_kind = 'controller' AND workload['owner'] IS NOT NULL) AND identity_kind <> 'node'
  AND (cardinality(workload['host_aliases']) > 0 OR cardinality(workload['dns_nameservers']) > 0)
