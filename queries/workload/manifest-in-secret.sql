/*
id: manifest-in-secret
title: Dangerous manifest hidden in a Secret
severity: medium
confidence: medium
risk: 40
attack: [T1610]
tactics: [Execution]
description: >-
  A Secret is written that contains a manifest of privileged workloads, hostPath volumes or host namespaces, roles, or
  files for nodes. Controllers apply such Secrets with their own rights: ClusterResourceSet of Cluster API, machine
  plans of Rancher, cloud-init data. podtrail stores what the manifest requests, not the values. Helm releases are left
  out, because the requests that applied them show the same.
blind_spots: Manifests in encodings other than Base64 and gzip, and manifests split over several keys.
false_positives:
  - Manifests that a platform team distributes to clusters
triage:
  - >-
    SELECT time, username, verb, namespace, name, secret, embedded, outcome FROM events WHERE event_id = '<event_id>'
references:
  - https://attack.mitre.org/techniques/T1610/
  - https://cluster-api.sigs.k8s.io/tasks/cluster-resource-set
covers: [WL-065]
controls: [AIS-06]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' writes Secret ' || coalesce(namespace || '/', '') || coalesce(name, '') || ' that contains '
    || array_to_string(powers, ', ') AS reason,
  CASE
    WHEN array_has_any(powers, make_array('privileged container', 'host namespaces', 'host path', 'roles')) THEN 'high'
    ELSE 'medium'
  END AS severity
FROM (
  SELECT event_id, username, namespace, name, identity_kind, embedded['powers'] AS powers
  FROM events
  WHERE activity = 'secret' AND resource = 'secrets' AND subresource IS NULL AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch')
)
WHERE cardinality(powers) > 0 AND identity_kind <> 'controller'
