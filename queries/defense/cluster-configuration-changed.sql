/*
id: cluster-configuration-changed
title: Cluster component configuration changed by hand
severity: medium
routine: low
confidence: low
risk: 25
attack: [T1685, T1565]
tactics: [Defense Impairment, Impact]
description: >-
  A person changes a ConfigMap that configures a platform component: kube-proxy, kubelet, kubeadm or the authentication
  of aggregated APIs.
blind_spots: The content of the ConfigMap after a write logged at Metadata level.
false_positives:
  - Administrators at work
references:
  - https://kubernetes.io/docs/reference/setup-tools/kubeadm/
covers: [DE-007]
*/
SELECT event_id, verb || ' of ConfigMap ' || name || ' in ' || namespace || ' by ' || coalesce(username, 'an unknown identity') AS reason
FROM config_maps
WHERE namespace IN ('kube-system', 'kube-public') AND outcome = 'allowed' AND identity_kind IN ('human', 'anonymous')
  AND verb IN ('update', 'patch', 'delete')
  AND (name IN ('kube-proxy', 'kubeadm-config', 'kubelet-config', 'extension-apiserver-authentication', 'cluster-info', 'kube-root-ca.crt')
    OR starts_with(name, 'kubelet-config-'))
