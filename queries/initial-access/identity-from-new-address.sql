/*
id: identity-from-new-address
title: Known identity from a new address
severity: low
confidence: low
risk: 10
attack: [T1078]
tactics: [Initial Access]
description: >-
  A known person sends a successful request from an address that they never used, or a service account from an address
  and with a tool that it never used: another workstation, or a stolen credential.
blind_spots: Identities with few requests. Activity before the log begins.
false_positives:
  - Other networks, VPNs and travelling laptops
triage:
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1078/
covers: [IA-008]
controls: [IAM-16]
parameters:
  known_after:
    type: integer
    default: 10
    description: Number of requests that make an identity known
*/
WITH requests AS (
  SELECT *, true AS in_scope FROM client_requests
  UNION ALL
  SELECT *, false AS in_scope FROM client_requests_history
),
numbered AS (
  SELECT
    event_id, cluster, username, identity_kind, client_ip, tool, in_scope,
    row_number() OVER (PARTITION BY cluster, username ORDER BY time, event_id) AS nth,
    row_number() OVER (PARTITION BY cluster, username, client_ip ORDER BY time, event_id) AS nth_of_address,
    row_number() OVER (PARTITION BY cluster, username, tool ORDER BY time, event_id) AS nth_of_tool
  FROM requests
  WHERE identity_kind IN ('human', 'service_account', 'cloud_service_account') AND outcome = 'allowed'
)
SELECT
  event_id,
  username || ' sends requests from ' || coalesce(client_ip, '?') || ' for the first time, with ' || coalesce(tool, '?') AS reason
FROM numbered
WHERE in_scope AND nth > $known_after AND nth_of_address = 1 AND (identity_kind = 'human' OR nth_of_tool = 1)
