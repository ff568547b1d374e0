/*
id: scanner-user-agent
title: Scanner or attack tool user agent
severity: medium
confidence: medium
risk: 35
attack: [T1613, T1595, T1046]
tactics: [Discovery, Reconnaissance]
description: The user agent names a scanner, a tool that enumerates permissions, or an attack tool.
blind_spots: Tools with another user agent, which most can set.
false_positives:
  - Announced scans, and security teams that examine their own cluster
triage:
  - SELECT time, verb, request_uri, outcome, user_agent FROM events WHERE client_ip = '<ip>' ORDER BY time
  - >-
    SELECT time, verb, request_uri FROM events WHERE identity_kind = 'anonymous' AND outcome = 'allowed' ORDER BY time
  - >-
    SELECT time, username, name, subject_name, role_name FROM bindings WHERE subject_name IN ('system:anonymous', 'system:unauthenticated') ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1595/
covers: [DI-010]
*/
SELECT
  array_slice(array_agg(event_id ORDER BY time), 1, 50) AS event_id,
  coalesce(username, client_ip, 'an unknown identity') || ' uses user agent "' || user_agent || '" (' || min(kind) || '), ' || count(*) || ' requests'
    AS reason
FROM (
  SELECT events.*, kind
  FROM (
    SELECT agent, min(kind) AS kind
    FROM (SELECT DISTINCT user_agent AS agent FROM events)
    JOIN (SELECT tool, kind FROM scanner_user_agents UNION ALL SELECT tool, kind FROM attack_tools)
      -- The parts of a name may be joined by any character, and other words may follow.
      ON regexp_like(agent, '(^|[^a-z0-9])(' || replace(tool, '-', '[-_. ]?') || ')($|[^a-z0-9])', 'i')
    GROUP BY agent
  )
  JOIN events ON user_agent = agent
)
GROUP BY cluster, username, impersonated_username, client_ip, user_agent
