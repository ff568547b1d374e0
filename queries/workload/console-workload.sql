/*
id: console-workload
title: Workload created through a console or platform
severity: low
confidence: medium
risk: 5
attack: [T1610]
tactics: [Execution]
description: >-
  A workload is written through a web console, a notebook server or a workflow engine. Its users need no cluster
  credential, and the log shows the platform's account instead of the person.
blind_spots: Consoles that act as the logged-in person with another user agent.
false_positives:
  - Data platforms, and administrators who work with consoles
triage:
  - "SELECT time, username, verb, object, role, name, image, digest FROM containers WHERE event_id = '<event_id>'"
  - "SELECT min(time), max(time), username, namespace, image FROM containers WHERE image = '<image>' GROUP BY username, namespace, image"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time"
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WL-065, T1610-console]
controls: [AIS-06]
*/
SELECT DISTINCT event_id, object || ' written through ' || product || ' as ' || coalesce(username, 'an unknown identity') AS reason
FROM workloads
JOIN consoles ON
  (consoles.how = 'account' AND regexp_like(username, '^system:serviceaccount:[^:]+:(' || pattern || ')$'))
  OR (consoles.how = 'agent' AND regexp_like(user_agent, '^(' || pattern || ')([/ (]|$)', 'i'))
WHERE outcome = 'allowed' AND NOT made_by_controller AND subresource IS NULL AND verb IN ('create', 'update', 'patch')
  -- Objects that a platform derives from a written resource are covered by that resource.
  AND owner IS NULL
