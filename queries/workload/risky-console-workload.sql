/*
id: risky-console-workload
title: Dangerous workload created through a console or platform
severity: medium
confidence: medium
risk: 30
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload with the privileged Pod Security level is written through a web console, a notebook server or a workflow
  engine. Such platforms have no reason to write it, and their logins are easier to steal than cluster credentials.
blind_spots: >-
  Consoles that act as the logged-in person with another user agent. Writes logged at Metadata level, which show no
  containers.
false_positives:
  - Administrators who install node agents through a console
triage:
  - "SELECT time, username, verb, object, role, name, image, digest FROM containers WHERE event_id = '<event_id>'"
  - "SELECT min(time), max(time), username, namespace, image FROM containers WHERE image = '<image>' GROUP BY username, namespace, image"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time"
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [T1610-console]
controls: [AIS-06]
*/
SELECT DISTINCT
  event_id,
  object || ' written through ' || product || ' as ' || coalesce(username, 'an unknown identity') || ' requests '
    || coalesce(array_to_string(pod_security_failed, ', '), 'privileged settings') AS reason
FROM workloads
JOIN consoles ON
  (consoles.how = 'account' AND regexp_like(username, '^system:serviceaccount:[^:]+:(' || pattern || ')$'))
  OR (consoles.how = 'agent' AND regexp_like(user_agent, '^(' || pattern || ')([/ (]|$)', 'i'))
WHERE outcome = 'allowed' AND NOT made_by_controller AND subresource IS NULL AND verb IN ('create', 'update', 'patch')
  -- Objects that a platform derives from a written resource are covered by that resource.
  AND owner IS NULL
  AND pod_security_level = 'privileged'
