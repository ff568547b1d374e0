/*
id: exec-into-pod
title: Exec into a pod
severity: medium
attack: [T1609]
description: >-
  Somebody runs a command in a running container. kubectl asks with GET over a websocket or with POST over SPDY; both
  count, whether or not the kubelet then managed to run it.
blind_spots: Commands that are typed into a shell after it was started, and what is done through the kubelet itself.
false_positives:
  - Engineers at work, and operators that run checks in their pods
references:
  - https://attack.mitre.org/techniques/T1609/
*/
SELECT
  event_id,
  'runs ' || coalesce('"' || command_line || '"', 'a command') || ' in pod ' || coalesce(name, '')
    || CASE WHEN status_code < 400 THEN '' ELSE coalesce(', answered with ' || status_code, ', unanswered so far') END
    AS reason
FROM execs
-- An exec cannot be a dry run, whatever its URL claims.
WHERE subresource = 'exec' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
