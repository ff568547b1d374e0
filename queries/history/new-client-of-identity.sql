/*
id: new-client-of-identity
title: Workload write from a new address and client
severity: low
confidence: low
risk: 8
attack: [T1610, T1078]
tactics: [Execution, Initial Access]
description: >-
  An identity with workload writes in its baseline writes one from an address and with a client that none of its earlier
  writes used. The cause is a new machine or a stolen credential.
blind_spots: Activity before the log begins. Identities with few writes, which have no baseline.
false_positives:
  - New laptops, VPN addresses and new tools
triage:
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT time, username, verb, object, outcome FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WS-005]
controls: [AIS-06]
parameters:
  learning_seconds:
    type: integer
    default: 600
    description: How long the log must run before a client counts as new
  writes:
    type: integer
    default: 5
    description: Number of workload writes that establish a baseline
*/
SELECT
  event_id,
  'first workload by ' || identity || ' from ' || coalesce(client_ip, 'an unknown address') || ' with '
    || coalesce(nullif(client, ''), 'no client name') || ': ' || object || ', after ' || (nth - 1) || ' from other clients' AS reason
FROM history_writes_numbered
WHERE in_scope AND nth_of_client_ip = 1 AND nth_of_client = 1 AND nth > $writes AND log_seconds >= $learning_seconds
