/*
id: certificate-request-by-person
title: CSR created or approved by a person
severity: low
confidence: medium
risk: 10
attack: [T1098, T1078]
tactics: [Persistence, Privilege Escalation]
description: >-
  An identity that is neither a kubelet nor a controller creates or approves a certificate signing request. A client
  certificate is valid until it expires, even if the account of its holder is removed.
blind_spots: Certificates signed outside the cluster.
false_positives:
  - Onboarding of people, and certificate operators
triage:
  - "SELECT time, username, verb, subresource, signer_name, common_name, organizations, approval FROM certificate_requests WHERE name = '<name>' ORDER BY time"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
  - "SELECT * FROM identities WHERE username = '<identity>'"
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
covers: [RB-019]
controls: [IAM-16]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' ' || CASE WHEN subresource = 'approval' THEN 'approves' ELSE verb || 's' END
    || ' CSR ' || coalesce(name, '') || coalesce(' for ' || common_name, '') AS reason
FROM certificate_requests
WHERE verb IN ('create', 'update', 'patch') AND (subresource IS NULL OR subresource = 'approval')
  -- An attempt counts: the requester wants another identity.
  AND outcome <> 'dry_run' AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
