/*
id: login-token-as-object
title: Login token read or written as an API object
severity: medium
confidence: medium
risk: 45
attack: [T1528, T1550.001, T1098]
tactics: [Credential Access, Persistence]
description: >-
  OpenShift and Rancher store the tokens of logged-in users as objects (`oauthaccesstokens`, `tokens`, `kubeconfigs`).
  An identity writes one, which is a login without a password as the user that it names (high), or reads those of others
  (medium). The servers that create them at each login are left out; to pass for one, an attacker needs the token of an
  account in a namespace of OpenShift or Rancher.
blind_spots: Tokens requested through the login pages.
false_positives:
  - Administrators who check who is logged in
triage:
  - >-
    SELECT time, username, verb, resource, name, outcome, request_object FROM events WHERE event_id = '<event_id>'
references:
  - https://attack.mitre.org/techniques/T1550/001/
  - https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/oauth_apis/oauth-apis
  - https://ranchermanager.docs.rancher.com/api/workflows/tokens
covers: [CA-009]
controls: [IAM-16]
*/
SELECT
  event_id,
  CASE WHEN verb IN ('create', 'update', 'patch') THEN 'high' ELSE 'medium' END AS severity,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || CASE
    WHEN created THEN ' creates '
    WHEN verb IN ('update', 'patch') THEN ' changes '
    ELSE ' reads '
  END || resource || coalesce(' ' || nullif(name, ''), '') || coalesce(' of ' || coalesce(
    json_get_str(request_object, 'userName'), json_get_str(request_object, 'userId'), json_get_str(response_object, 'userName'),
    json_get_str(response_object, 'userId')), '') AS reason
FROM events
WHERE (
    (api_group = 'oauth.openshift.io' AND resource IN ('oauthaccesstokens', 'oauthauthorizetokens'))
    OR (api_group = 'management.cattle.io' AND resource IN ('tokens', 'clusterregistrationtokens', 'samltokens'))
    OR (api_group = 'ext.cattle.io' AND resource IN ('tokens', 'kubeconfigs'))
  )
  AND subresource IS NULL AND outcome = 'allowed' AND verb IN ('create', 'update', 'patch', 'get', 'list', 'watch')
  -- An identity that requests a token for itself from Rancher gets one this way.
  AND NOT (api_group = 'ext.cattle.io' AND created)
  AND identity_kind IN ('human', 'service_account', 'anonymous')
  AND NOT (impersonated_username IS NULL AND coalesce(
    service_account_namespace IN ('openshift-authentication', 'openshift-authentication-operator', 'openshift-oauth-apiserver', 'openshift-console', 'openshift-console-operator', 'openshift-monitoring', 'openshift-apiserver', 'cattle-system', 'cattle-fleet-system', 'cattle-fleet-local-system'), false))
