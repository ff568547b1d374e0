/*
id: certificate-self-approved
title: CSR approved by its requester
severity: high
confidence: high
risk: 60
attack: [T1098, T1078]
tactics: [Persistence, Privilege Escalation]
description: One identity requests a certificate and approves it. No second person reviewed the request.
blind_spots: Requests older than the log.
false_positives:
  - Onboarding scripts
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
covers: [RB-022]
controls: [IAM-16]
*/
SELECT
  make_array(asked.event_id, approved.event_id) AS event_id,
  approved.username || ' approves its own CSR ' || approved.name || coalesce(' for ' || asked.common_name, '') AS reason
FROM certificate_requests AS approved
JOIN (SELECT * FROM certificate_requests UNION ALL SELECT * FROM certificate_requests_history) AS asked
  ON asked.cluster = approved.cluster AND asked.name = approved.name AND asked.username = approved.username
WHERE approved.subresource = 'approval' AND approved.outcome = 'allowed' AND coalesce(approved.approval, 'Approved') = 'Approved'
  AND asked.created AND asked.outcome = 'allowed' AND asked.time <= approved.time
  AND approved.identity_kind IN ('human', 'service_account', 'cloud_service_account')
