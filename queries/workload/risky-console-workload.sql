/*
id: risky-console-workload
title: Dangerous workload created through a console or platform
severity: medium
confidence: medium
risk: 30
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload that Pod Security calls privileged is written through a web console, a notebook server or a workflow
  engine: such platforms have no reason to, and their logins are easier to come by than credentials of the cluster.
blind_spots: >-
  Consoles that act as the person who is logged in and hide behind another user agent. Writes logged at Metadata level
  show no containers.
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
  object || ' is written through ' || product || ' as ' || coalesce(username, 'an unknown identity') || ' and asks for '
    || coalesce(array_to_string(pod_security_failed, ', '), 'too much') AS reason
FROM workloads
JOIN consoles ON
  (consoles.how = 'account' AND regexp_like(username, '^system:serviceaccount:[^:]+:(' || pattern || ')$'))
  OR (consoles.how = 'agent' AND regexp_like(user_agent, '^(' || pattern || ')([/ (]|$)', 'i'))
WHERE outcome = 'allowed' AND NOT made_by_controller AND subresource IS NULL AND verb IN ('create', 'update', 'patch')
  -- What a platform makes of a resource that an identity wrote shows in that resource.
  AND owner IS NULL
  AND pod_security_level = 'privileged'
