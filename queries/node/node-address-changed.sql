/*
id: node-address-changed
title: Node address changed by a service account
severity: medium
confidence: medium
risk: 30
attack: [T1557, T1609]
tactics: [Credential Access, Execution]
description: >-
  An identity other than the node or the platform writes the addresses or the kubelet port in the status of a node. The
  API server sends exec, logs and metrics requests for the node's kubelet there, so the writer receives these requests,
  or makes the API server connect to a chosen host. Accounts of a cloud controller manager in its usual namespace are
  low, because an attacker needs the token of such an account.
blind_spots: Writes logged at Metadata level, which do not show the written status; writes by a person count.
false_positives:
  - Simulated and virtual nodes, such as those of KWOK and Virtual Kubelet
triage:
  - >-
    SELECT time, username, verb, name, request_object, outcome FROM events WHERE resource = 'nodes' AND subresource = 'status' AND name = '<name>' AND username = '<identity>' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/node/node-status/#addresses
  - https://attack.mitre.org/techniques/T1557/
covers: [DE-009]
controls: [AIS-06]
*/
SELECT
  event_id, coalesce(username, 'an unknown identity') || ' writes the addresses in the status of node ' || coalesce(name, '') AS reason,
  CASE
    WHEN service_account_namespace IN ('kube-system', 'openshift-cloud-controller-manager')
      AND service_account_name IN (
        'cloud-controller-manager', 'cloud-node-manager', 'aws-cloud-controller-manager', 'azure-cloud-controller-manager',
        'openstack-cloud-controller-manager', 'vsphere-cloud-controller-manager', 'digitalocean-cloud-controller-manager',
        'hcloud-cloud-controller-manager', 'oci-cloud-controller-manager', 'ibm-cloud-controller-manager', 'linode-cloud-controller-manager'
      ) THEN 'low'
    ELSE 'medium'
  END AS severity
FROM events
WHERE activity = 'write' AND api_group IS NULL AND resource = 'nodes' AND subresource = 'status' AND outcome = 'allowed'
  AND verb IN ('update', 'patch') AND identity_kind IN ('human', 'anonymous', 'service_account', 'cloud_service_account')
  AND CASE
    WHEN request_object IS NULL THEN identity_kind IN ('human', 'anonymous')
    ELSE json_contains(request_object, 'status', 'addresses') OR json_contains(request_object, 'status', 'daemonEndpoints')
      -- JSON Patch.
      OR regexp_like(request_object, '"(path|from)" *: *"/status(/addresses[^"]*|/daemonEndpoints[^"]*)?"')
  END
