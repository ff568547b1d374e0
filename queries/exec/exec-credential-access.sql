/*
id: exec-credential-access
aliases:
  - exec-credential-file
  - exec-service-account-token
  - exec-cloud-metadata-credentials
  - exec-cloud-metadata
  - exec-credential-search
  - exec-cluster-access
title: Credential access through exec
severity: high
confidence: high
risk: 60
attack: [T1609, T1552.001, T1552.004, T1528, T1552.005, T1613, T1552.007]
tactics: [Credential Access, Lateral Movement, Privilege Escalation, Execution, Discovery]
description: >-
  A command run in a container reads the token of its service account, a private key, a kubeconfig, cloud credentials,
  stored passwords, or the credentials of the cloud metadata service. Commands that read mounted secrets or key stores,
  query the metadata service or the Kubernetes API from inside, search for credentials, or read the memory or
  environment of processes are medium.
false_positives:
  - Engineers who check that a program has its credentials
  - Setup of a program that authenticates with a token, such as Vault
  - Engineers who troubleshoot the credentials of a cloud client
  - Engineers who troubleshoot the region or the credentials of a cloud client
  - Engineers who look for the origin of a setting
  - Pods that exist to run kubectl in them
references:
  - https://attack.mitre.org/techniques/T1552/001/
  - https://attack.mitre.org/techniques/T1528/
  - https://stratus-red-team.cloud/attack-techniques/kubernetes/k8s.credential-access.steal-serviceaccount-token/
  - https://attack.mitre.org/techniques/T1552/005/
  - https://attack.mitre.org/techniques/T1613/
covers: [EX-007, EX-006]
*/
SELECT event_id, severity, attack, reason
FROM exec_command_matches
WHERE detection = 'exec-credential-access'
  AND NOT (shows_nothing AND kind IN ('credential file', 'guarded file', 'service account token'))
