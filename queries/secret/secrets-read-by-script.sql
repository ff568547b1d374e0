/*
id: secrets-read-by-script
title: Secrets read with curl or a similar client
severity: medium
confidence: medium
risk: 30
attack: [T1552.007]
tactics: [Credential Access]
description: >-
  Secrets are read with curl, a plain HTTP library or an attack tool instead of kubectl or a controller. This is typical
  of a token found in a pod.
blind_spots: The user agent, which the client chooses.
false_positives:
  - In-house automation that uses plain HTTP libraries
references:
  - https://attack.mitre.org/techniques/T1552/007/
  - https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
covers: [CA-004]
controls: [DSP-15]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || coalesce(' as ' || impersonated_username, '') || ' reads secret ' || coalesce(namespace || '/', '') || coalesce(name, '*') || ' with ' || user_agent AS reason
FROM client_requests
WHERE activity = 'secret' AND resource = 'secrets' AND verb IN ('get', 'list', 'watch') AND identity_kind <> 'controller'
  AND (tool_kind = 'shell' AND outcome = 'allowed'
    -- Platform components use HTTP libraries.
    OR tool_kind = 'library' AND outcome = 'allowed' AND identity_kind <> 'system'
    OR tool_kind = 'attack tool' AND outcome NOT IN ('unknown', 'denied_authn'))
