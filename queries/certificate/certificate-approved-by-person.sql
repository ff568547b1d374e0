/*
id: certificate-approved-by-person
title: Client certificate CSR approved by a person
severity: medium
routine: low
confidence: low
risk: 25
attack: [T1098, T1078]
tactics: [Persistence, Privilege Escalation]
description: >-
  A person approves a certificate signing request that no node created. The identity in the certificate is then trusted
  everywhere.
false_positives:
  - Onboarding of people with certificates
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
covers: [RB-019]
controls: [IAM-16]
*/
WITH asked AS (
  SELECT DISTINCT cluster, name
  FROM (SELECT * FROM certificate_requests UNION ALL SELECT * FROM certificate_requests_history)
  WHERE created AND outcome = 'allowed' AND identity_kind IN ('node', 'system', 'controller')
)
SELECT event_id, username || ' approves CSR ' || coalesce(certificate_requests.name, '') || coalesce(' for ' || common_name, '') AS reason
FROM certificate_requests
-- Where the log shows no bodies, the requester indicates the purpose.
LEFT JOIN asked ON asked.cluster = certificate_requests.cluster AND asked.name = certificate_requests.name
WHERE subresource = 'approval' AND outcome = 'allowed' AND identity_kind = 'human' AND coalesce(approval, 'Approved') = 'Approved'
  AND asked.name IS NULL
  AND NOT coalesce(starts_with(common_name, 'system:node:'), false)
  AND NOT coalesce(signer_name IN ('kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet'), false)
