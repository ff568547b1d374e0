-- One row per request for a service account token; `name` is the name of the service account.
SELECT
  event_id, audit_id, time, date, cluster, username, identity_kind, impersonated_username, client_ip, user_agent,
  verb, subresource, namespace, name, outcome, status_code, level,
  annotations['authentication.kubernetes.io/issued-credential-id'] AS issued_credential_id,
  token_request['body_source'] AS body_source,
  token_request['audiences'] AS audiences,
  token_request['expiration_seconds'] AS expiration_seconds,
  token_request['bound_kind'] AS bound_kind,
  token_request['bound_name'] AS bound_name,
  token_request['bound_uid'] AS bound_uid
FROM events
WHERE activity = 'access' AND resource = 'serviceaccounts' AND subresource = 'token'
