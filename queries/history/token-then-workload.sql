/*
id: token-then-workload
title: Token requested, then a workload run as the account
severity: medium
confidence: high
risk: 40
attack: [T1528, T1610]
tactics: [Credential Access, Execution]
description: >-
  An identity requests a token of a service account, and from the same address this account then writes workloads, for
  the first time from there.
blind_spots: Tokens used from another address.
false_positives:
  - New CI jobs that get their tokens with kubectl create token
triage:
  - >-
    SELECT time, username, namespace, name, outcome, client_ip FROM token_requests WHERE identity_kind NOT IN ('node', 'controller') ORDER BY time
  - >-
    SELECT time, verb, object, namespace, outcome, client_ip FROM workloads WHERE username = '<service account>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1528/
covers: [WS-013]
controls: [IAM-16, AIS-06]
parameters:
  within_seconds:
    type: integer
    default: 3600
    description: Maximum time until the workload
*/
WITH steps AS (
  SELECT
    event_id, time, cluster, coalesce(impersonated_username, username) AS requester,
    'system:serviceaccount:' || namespace || ':' || name AS account, client_ip, true AS minted, NULL AS object
  FROM token_requests
  WHERE outcome = 'allowed' AND verb = 'create' AND identity_kind IN ('human', 'service_account', 'cloud_service_account', 'anonymous')
  UNION ALL
  SELECT event_id, time, cluster, NULL AS requester, identity AS account, client_ip, false AS minted, object
  FROM history_writes
  WHERE identity_kind = 'service_account'
),
followed AS (
  SELECT
    *,
    last_value(CASE WHEN minted THEN event_id END) IGNORE NULLS OVER earlier AS minted_event,
    last_value(CASE WHEN minted THEN time END) IGNORE NULLS OVER earlier AS minted_time,
    last_value(requester) IGNORE NULLS OVER earlier AS minted_by,
    row_number() OVER (PARTITION BY cluster, account, client_ip, minted ORDER BY time, event_id) AS nth
  FROM steps
  WINDOW earlier AS (PARTITION BY cluster, account, client_ip ORDER BY time, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT
  make_array(minted_event, event_id) AS event_id,
  minted_by || ' requests a token of ' || account || ', which then writes ' || coalesce(object, 'a workload') || ' from the same address '
    || coalesce(client_ip, '') AS reason
FROM followed
WHERE NOT minted AND nth = 1 AND minted_by <> account AND date_diff('second', minted_time, time) <= $within_seconds
