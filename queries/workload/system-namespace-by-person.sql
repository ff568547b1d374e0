/*
id: system-namespace-by-person
title: Workload in a system namespace by a person
severity: medium
attack: [T1610, T1036.005]
description: >-
  A person writes a workload in a namespace of the platform, where it hides among components that nobody looks at and
  where many policies do not apply.
false_positives:
  - Administrators who install or repair add-ons by hand
references:
  - https://attack.mitre.org/techniques/T1036/005/
parameters:
  namespaces:
    type: text_list
    description: Namespaces of the platform
    default:
      [kube-system, kube-public, kube-node-lease, gatekeeper-system, calico-system, tigera-operator, cilium-secrets,
       gke-managed-system, gke-system, gmp-system, amazon-cloudwatch, azure-arc, openshift-apiserver, openshift-etcd,
       openshift-kube-apiserver, openshift-kube-controller-manager, openshift-monitoring]
*/
SELECT event_id, identity_kind || ' ' || coalesce(username, '') || ' writes ' || object || ' in ' || namespace AS reason
FROM workloads
WHERE array_has($namespaces, namespace)
  AND identity_kind IN ('human', 'anonymous')
  AND outcome = 'allowed'
