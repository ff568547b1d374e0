/*
id: secrets-from-new-client
title: Secrets read from a new address or client
severity: low
confidence: low
risk: 10
attack: [T1552.007, T1078]
tactics: [Credential Access, Initial Access]
description: >-
  An identity that reads secrets does so from an address or with a tool that it never used for secrets before: another
  workstation, or a stolen credential.
blind_spots: The first reads of an identity in the log and the look-back, and earlier activity.
false_positives:
  - Other networks, new tools, pods that moved
references:
  - https://attack.mitre.org/techniques/T1552/007/
  - https://attack.mitre.org/techniques/T1078/
covers: [CA-005]
controls: [DSP-15]
*/
WITH reads AS (
  SELECT *, true AS in_scope FROM client_requests
  UNION ALL
  SELECT *, false AS in_scope FROM client_requests_history
),
numbered AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY cluster, username, client_ip, tool ORDER BY time, event_id) AS nth,
    min(time) OVER (PARTITION BY cluster, username) AS first_time
  FROM reads
  WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('get', 'list') AND outcome = 'allowed'
    AND identity_kind IN ('human', 'service_account', 'cloud_service_account')
)
SELECT
  event_id,
  username || ' reads secrets for the first time from ' || coalesce(client_ip, '?') || ' with ' || coalesce(tool, '?')
    AS reason
FROM numbered
WHERE nth = 1 AND in_scope AND time > first_time
