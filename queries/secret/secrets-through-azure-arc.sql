/*
id: secrets-through-azure-arc
title: Secrets or ConfigMaps read through the Azure Arc proxy
severity: medium
confidence: medium
risk: 25
attack: [T1552.007, T1213]
tactics: [Credential Access, Collection]
description: >-
  The proxy of Azure Arc reads or writes secrets or ConfigMaps outside its own namespaces on behalf of an Entra ID user.
  The holder of that account reaches the cluster from anywhere.
blind_spots: Activity of Arc's own agents in their namespaces.
false_positives:
  - Administrators who work through Azure Arc
references:
  - https://learn.microsoft.com/azure/azure-arc/kubernetes/cluster-connect
  - https://attack.mitre.org/techniques/T1552/007/
covers: [CA-014]
controls: [DSP-15]
*/
SELECT
  event_id,
  effective_username || ' accesses ' || resource || ' ' || coalesce(namespace || '/', '') || coalesce(name, '*')
    || ' through ' || coalesce(proxy_username, username) || ' (' || verb || ')' AS reason
FROM events
WHERE coalesce(proxy_username, username) LIKE 'system:serviceaccount:azure-arc:%' AND coalesce(proxy_username, impersonated_username) IS NOT NULL
  AND resource IN ('secrets', 'configmaps') AND outcome = 'allowed'
  AND coalesce(namespace, '') NOT IN ('azure-arc', 'azure-arc-release', 'azure-extensions-usage-system', 'kube-system')
