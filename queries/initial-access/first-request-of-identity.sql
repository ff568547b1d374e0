/*
id: first-request-of-identity
aliases: [identity-from-new-address]
title: First request of an identity, or from a new address
severity: low
confidence: medium
risk: 10
attack: [T1078]
tactics: [Initial Access]
description: >-
  A person or service account that is new to the log and the look-back sends a successful request (info): a new
  colleague, new automation, or an attacker's credential. Or a known person sends one from an address that they never
  used, or a service account from an address and with a tool that it never used (low): another workstation, or a stolen
  credential.
blind_spots: >-
  Activity before the log begins. Identities active within its first moments count as known. Identities with few
  requests.
false_positives:
  - New people and new automation
  - Other networks, VPNs and travelling laptops
triage:
  - >-
    SELECT time, username, namespace, name, role_kind, role_name FROM bindings WHERE subject_name = '<name of the identity>' ORDER BY time
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1078/
covers: [IA-006, IA-008]
controls: [IAM-16]
parameters:
  learning_seconds:
    type: integer
    default: 30
    description: How long the log must run before an identity counts as new
  known_after:
    type: integer
    default: 10
    description: Number of requests that make an identity known
*/
WITH numbered AS (
  SELECT
    event_id, cluster, username, identity_kind, client_ip, user_agent, time, in_scope,
    row_number() OVER (PARTITION BY cluster, username ORDER BY time, event_id) AS nth,
    row_number() OVER (PARTITION BY cluster, username, client_ip ORDER BY time, event_id) AS nth_of_address,
    row_number() OVER (PARTITION BY cluster, username, tool ORDER BY time, event_id) AS nth_of_tool
  FROM all_client_requests
  WHERE identity_kind IN ('human', 'service_account', 'cloud_service_account') AND outcome = 'allowed'
)
SELECT
  event_id,
  CASE WHEN nth = 1 THEN 'info' ELSE 'low' END AS severity,
  CASE WHEN nth = 1 THEN 'first request by ' || username || ' in this log' ELSE username || ' sends requests from a new address' END
    || ', from ' || coalesce(client_ip, '?') || ' with ' || coalesce(user_agent, '?') AS reason
FROM numbered
JOIN history_begins USING (cluster)
WHERE in_scope AND (
  nth = 1 AND date_diff('second', log_begins, time) >= $learning_seconds
  OR nth > $known_after AND nth_of_address = 1 AND (identity_kind = 'human' OR nth_of_tool = 1))
