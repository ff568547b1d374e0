/*
id: cluster-dns-changed
title: Cluster DNS configuration changed
severity: medium
confidence: medium
risk: 40
attack: [T1557, T1565]
tactics: [Credential Access, Impact]
description: >-
  The configuration or the workload of CoreDNS or kube-dns is changed. An identity that controls name resolution can
  redirect every connection in the cluster.
blind_spots: Changes to the pods of the DNS server.
false_positives:
  - DNS administrators and add-on managers
references:
  - https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/
covers: [DE-007]
*/
-- The identity that created the DNS server when the cluster was installed maintains it: for severity low, an attacker
-- needs the token of an account that the installer created and that then wrote the DNS server's workload.
WITH keepers AS (
  SELECT DISTINCT written.cluster, written.username
  FROM (
    SELECT cluster, username, time, namespace, name, created, outcome, impersonated_username FROM all_workloads
  ) AS written
  JOIN history_installers AS installer
    ON installer.cluster = written.cluster AND installer.username = written.username AND written.time BETWEEN installer.time AND installer.until
  WHERE written.namespace = 'kube-system' AND written.name IN ('coredns', 'kube-dns') AND written.created
    AND written.outcome = 'allowed' AND written.impersonated_username IS NULL
)
SELECT
  event_id, verb || ' of ConfigMap ' || name || ' by ' || coalesce(changed.username, 'an unknown identity') AS reason,
  CASE WHEN keepers.username IS NOT NULL AND changed.impersonated_username IS NULL THEN 'low' END AS severity
FROM config_maps AS changed
LEFT JOIN keepers ON keepers.cluster = changed.cluster AND keepers.username = changed.username
WHERE namespace IN ('kube-system', 'openshift-dns') AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'system', 'node')
  AND (name = 'coredns-custom'
    -- Installers create the others.
    OR (name IN ('coredns', 'kube-dns', 'node-local-dns', 'dns-default') AND NOT created))
UNION ALL
-- The command of the DNS server, and the configuration that it mounts.
SELECT event_id, username || ' changes ' || object || ' of the DNS server: ' || string_agg(change || coalesce(' ' || field, ''), ', ') AS reason, CAST(NULL AS VARCHAR) AS severity
FROM changes
WHERE namespace IN ('kube-system', 'openshift-dns') AND name IN ('coredns', 'kube-dns', 'node-local-dns', 'dns-default')
  AND change IN ('volume added', 'volume changed', 'volume', 'volumes', 'args', 'command', 'env', 'mounts', 'volume mounts')
  AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous', 'node') AND outcome = 'allowed'
GROUP BY event_id, username, object
