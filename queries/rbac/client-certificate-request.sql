/*
id: client-certificate-request
title: Client certificate requested (CSR)
severity: medium
routine: low
confidence: medium
risk: 25
attack: [T1098, T1078]
tactics: [Persistence, Privilege Escalation]
description: >-
  A client certificate for authentication to the API server is requested. It remains valid after password and token
  changes and cannot be revoked.
blind_spots: >-
  Writes logged at Metadata level, which show no rules, subjects or specs. Certificates signed outside the cluster.
false_positives:
  - Onboarding of people with certificates
triage:
  - "SELECT time, username, verb, subresource, signer_name, common_name, organizations, approval FROM certificate_requests WHERE name = '<name>' ORDER BY time"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
covers: [RB-020]
controls: [IAM-16]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' requests from ' || signer_name || ' a client certificate' || coalesce(' for ' || common_name, '') AS reason
FROM certificate_requests
WHERE signer_name = 'kubernetes.io/kube-apiserver-client' AND created AND outcome = 'allowed'
  AND identity_kind <> 'controller'
  -- Kubelets and joining machines use another signer.
  AND NOT (identity_kind = 'system' AND NOT starts_with(username, 'system:bootstrap:'))
