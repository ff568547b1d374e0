/*
id: login-token-as-object
title: Login token read or written as an API object
severity: medium
confidence: medium
risk: 45
attack: [T1528, T1550.001, T1098]
tactics: [Credential Access, Persistence]
description: >-
  OpenShift and Rancher keep the tokens of those who logged in as objects (`oauthaccesstokens`, `tokens`, `kubeconfigs`).
  Somebody writes one, which is a login as whoever it names, without a password (high), or reads those of
  others (medium). The servers that make them at each login are left out: to be, an attacker needs the token of an account
  of a namespace of OpenShift's or Rancher's own.
blind_spots: >-
  Tokens that are asked for through the login pages themselves.
false_positives:
  - Administrators who look who is logged in
triage:
  - "SELECT time, username, verb, resource, name, outcome, request_object FROM events WHERE event_id = '<event_id>'"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time"
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
    WHEN created THEN ' makes '
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
  -- Whoever asks Rancher for a token of its own gets one by this.
  AND NOT (api_group = 'ext.cattle.io' AND created)
  AND identity_kind IN ('human', 'service_account', 'anonymous')
  AND NOT (impersonated_username IS NULL AND coalesce(
    service_account_namespace IN ('openshift-authentication', 'openshift-authentication-operator', 'openshift-oauth-apiserver', 'openshift-console', 'openshift-console-operator', 'openshift-monitoring', 'openshift-apiserver', 'cattle-system', 'cattle-fleet-system', 'cattle-fleet-local-system'), false))
