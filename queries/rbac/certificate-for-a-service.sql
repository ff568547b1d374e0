/*
id: certificate-for-a-service
title: Certificate requested for the API server or a service name
severity: medium
confidence: medium
risk: 30
attack: [T1557]
tactics: [Credential Access, Collection]
description: >-
  An identity requests from a Kubernetes signer a certificate with the name of the API server or of a service in a
  system namespace. The certificate allows it to impersonate that server.
blind_spots: >-
  Other signers, such as cert-manager, which do not use certificate signing requests. Names covered by a wildcard of
  another domain.
false_positives:
  - Webhooks and add-ons that get their serving certificate from Kubernetes
triage:
  - "SELECT time, username, verb, name, signer_name, common_name, organizations, dns_names, outcome FROM certificate_requests WHERE name = '<name>' ORDER BY time"
  - "SELECT time, username, name, approval FROM certificate_requests WHERE subresource = 'approval' ORDER BY time"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time"
references:
  - https://attack.mitre.org/techniques/T1557/
  - https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
covers: [RB-017]
controls: [IAM-16]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' requests a certificate for ' || string_agg(DISTINCT dns_name, ', ') AS reason
FROM (SELECT *, lower(unnest(dns_names)) AS dns_name FROM certificate_requests)
WHERE created AND outcome NOT IN ('dry_run', 'denied_authn') AND identity_kind NOT IN ('controller', 'system')
  -- Accounts request the names of their own namespace.
  AND regexp_like(dns_name, '^(\*|kubernetes|kubernetes\.default|[^.]+\.kube-system)(\.svc(\..*)?)?$|^\*\.')
  AND NOT (starts_with(username, 'system:serviceaccount:kube-system:') AND contains(dns_name, '.kube-system'))
GROUP BY event_id, username
