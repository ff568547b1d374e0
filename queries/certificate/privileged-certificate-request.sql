/*
id: privileged-certificate-request
title: CSR for a privileged subject
severity: critical
confidence: high
risk: 80
attack: [T1098, T1078]
tactics: [Persistence, Privilege Escalation]
description: >-
  A certificate is requested whose subject is system:masters, a system user or a node, by an identity other than that
  node or a joining machine. Such a certificate cannot be revoked. A node may request a certificate only for itself, and
  a bootstrap token only for a node, not with an interactive client.
false_positives:
  - The bootstrap of control planes
references:
  - https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
covers: [RB-021]
controls: [IAM-16]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' requests a certificate for ' || concat_ws(', ', common_name, array_to_string(organizations, ', ')) AS reason
FROM certificate_requests
LEFT JOIN client_tools ON client_tools.tool = lower(user_agent_tool(user_agent))
WHERE created AND outcome NOT IN ('dry_run', 'denied_authn')
  AND (array_has(organizations, 'system:masters') OR array_has(organizations, 'kubeadm:cluster-admins') OR starts_with(common_name, 'system:')
    OR identity_kind(common_name) NOT IN ('human', 'unknown'))
  AND identity_kind <> 'controller'
  -- A kubelet renews its own certificate.
  AND NOT (identity_kind = 'node' AND common_name = username
    AND coalesce(array_to_string(organizations, ','), 'system:nodes') = 'system:nodes')
  -- A joining machine requests the certificate of a node. The kubelet and kubeadm do this, kubectl does not.
  AND NOT (starts_with(username, 'system:bootstrap:') AND identity_kind = 'system' AND starts_with(common_name, 'system:node:')
    AND coalesce(array_to_string(organizations, ','), 'system:nodes') = 'system:nodes'
    AND coalesce(client_tools.kind, 'other') NOT IN ('interactive', 'shell', 'attack tool'))
  -- Platform components renew their certificates.
  AND NOT (identity_kind = 'system' AND common_name = username AND NOT coalesce(array_has(organizations, 'system:masters'), false))
