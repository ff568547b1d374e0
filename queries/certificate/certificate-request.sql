/*
id: certificate-request
aliases: [client-certificate-request, certificate-request-by-person, certificate-for-a-service]
title: Certificate requested or approved (CSR)
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1098, T1078, T1557]
tactics: [Persistence, Privilege Escalation, Credential Access, Collection]
description: >-
  An identity requests a client certificate for the API server, which remains valid after password and token changes and
  cannot be revoked, or a certificate with the name of the API server or of a service in a system namespace, with which
  it can impersonate that server. Other requests and approvals by identities that are neither kubelets nor controllers
  are low.
blind_spots: >-
  Other signers, such as cert-manager, which do not use certificate signing requests. Names covered by a wildcard of
  another domain.
false_positives:
  - Onboarding of people with certificates
  - Onboarding of people, and certificate operators
  - Webhooks and add-ons that get their serving certificate from Kubernetes
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
  - https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
  - https://attack.mitre.org/techniques/T1557/
covers: [RB-020, RB-019, RB-017]
controls: [IAM-16]
*/
WITH servers AS (
  SELECT event_id, string_agg(DISTINCT dns_name, ', ') AS names
  FROM (SELECT event_id, username, lower(unnest(dns_names)) AS dns_name FROM certificate_requests)
  WHERE regexp_like(dns_name, '^(\*|kubernetes|kubernetes\.default|[^.]+\.kube-system)(\.svc(\..*)?)?$|^\*\.')
    -- Accounts request the names of their own namespace.
    AND NOT (starts_with(username, 'system:serviceaccount:kube-system:') AND contains(dns_name, '.kube-system'))
  GROUP BY event_id
)
SELECT
  event_id, severity,
  concat(
    coalesce(username, 'an unknown identity'), CASE WHEN subresource = 'approval' THEN ' approves' WHEN created THEN ' requests' ELSE ' changes' END,
    ' CSR ', name, ' for ' || common_name, ' with the name ' || names, ' from ' || signer_name) AS reason
FROM (
  SELECT
    request.*, names,
    CASE
      WHEN created AND names IS NOT NULL AND outcome NOT IN ('dry_run', 'denied_authn') AND identity_kind NOT IN ('controller', 'system') THEN 'medium'
      WHEN created AND signer_name = 'kubernetes.io/kube-apiserver-client' AND outcome = 'allowed' AND identity_kind <> 'controller'
        -- Kubelets and joining machines use another signer.
        AND NOT (identity_kind = 'system' AND NOT starts_with(username, 'system:bootstrap:')) THEN 'medium'
      -- An attempt counts: the requester wants another identity.
      WHEN outcome <> 'dry_run' AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous') THEN 'low'
    END AS severity
  FROM certificate_requests AS request
  LEFT JOIN servers ON servers.event_id = request.event_id
  WHERE verb IN ('create', 'update', 'patch') AND (subresource IS NULL OR subresource = 'approval')
)
WHERE severity IS NOT NULL
