/*
id: workload-from-public-address
title: Workload created from a public address
severity: medium
routine: low
confidence: medium
risk: 30
attack: [T1610, T1078]
tactics: [Initial Access, Execution]
description: >-
  An identity that otherwise uses private addresses writes a workload from a public one: a person outside their network,
  or a stolen credential.
blind_spots: Identities that always use public addresses, where people reach the API server over the internet.
false_positives:
  - Travelling people, and pipelines of a cloud service
triage:
  - >-
    SELECT client_ip, user_agent, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE username = '<identity>' GROUP BY client_ip, user_agent ORDER BY first
  - >-
    SELECT username, min(time) AS first, max(time) AS last, count(*) AS requests FROM events WHERE client_ip = '<address>' GROUP BY username
references:
  - https://attack.mitre.org/techniques/T1610/
  - https://attack.mitre.org/techniques/T1078/
covers: [WL-074]
controls: [AIS-06]
*/
WITH homes AS (
  SELECT cluster, username, bool_or(is_private_ip(client_ip)) AS is_at_home
  FROM (
    SELECT cluster, username, client_ip FROM stages
    UNION ALL
    SELECT cluster, username, client_ip FROM stages_history
  )
  GROUP BY cluster, username
)
SELECT
  event_id,
  workloads.username || ' writes ' || object || coalesce(' in ' || namespace, '') || ' from the public address ' || client_ip
    AS reason
FROM workloads
JOIN homes ON workloads.cluster = homes.cluster AND workloads.username = homes.username
WHERE outcome IN ('allowed', 'dry_run') AND NOT is_private_ip(client_ip) AND is_at_home
  AND identity_kind IN ('human', 'service_account', 'cloud_service_account')
