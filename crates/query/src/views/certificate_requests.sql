-- One row per write of a CertificateSigningRequest, including approvals (subresource `approval`).
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, subresource, namespace, name, outcome, status_code, level,
  certificate_request['body_source'] AS body_source,
  certificate_request['signer_name'] AS signer_name,
  certificate_request['usages'] AS usages,
  certificate_request['expiration_seconds'] AS expiration_seconds,
  certificate_request['common_name'] AS common_name,
  certificate_request['organizations'] AS organizations,
  certificate_request['dns_names'] AS dns_names,
  certificate_request['approval'] AS approval,
  created
FROM events
WHERE activity = 'rbac' AND resource = 'certificatesigningrequests'
  AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
