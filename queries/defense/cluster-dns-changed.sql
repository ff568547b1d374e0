/*
id: cluster-dns-changed
title: Configuration of the cluster's DNS changed
severity: medium
confidence: medium
risk: 40
attack: [T1557, T1565]
tactics: [Credential Access, Impact]
description: >-
  The configuration of CoreDNS or kube-dns is changed by hand: who answers names redirects every connection of the
  cluster.
blind_spots: >-
  Changes to the pods of the name server.
false_positives:
  - Administrators of DNS, add-on managers
triage:
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
  - "SELECT time, username, verb, outcome FROM events WHERE resource = '<resource>' AND name = '<name>' ORDER BY time"
references:
  - https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/
covers: [DE-007]
*/
SELECT event_id, verb || ' of config map ' || name || ' by ' || coalesce(username, 'nobody') AS reason
FROM config_maps
WHERE namespace IN ('kube-system', 'openshift-dns') AND outcome = 'allowed' AND identity_kind NOT IN ('controller', 'system', 'node')
  AND (name = 'coredns-custom'
    -- Installers create the others.
    OR (name IN ('coredns', 'kube-dns', 'node-local-dns', 'dns-default') AND verb <> 'create'))
