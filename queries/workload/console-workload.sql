/*
id: console-workload
title: Workload created through a console or platform
aliases: [risky-console-workload]
severity: low
confidence: medium
risk: 30
attack: [T1610, T1611]
tactics: [Execution, Privilege Escalation]
description: >-
  A workload is written through a web console, a notebook server or a workflow engine. Its users need no cluster
  credential, and the log shows the platform's account instead of the person. Severity is medium for a workload with the
  privileged Pod Security level, which such platforms have no reason to write; their logins are easier to steal than
  cluster credentials.
blind_spots: >-
  Consoles that act as the logged-in person with another user agent. The level of writes logged at Metadata level.
false_positives:
  - Data platforms, and administrators who work with consoles
  - Administrators who install node agents through a console
triage:
  - >-
    SELECT time, username, verb, object, role, name, image, digest FROM containers WHERE event_id = '<event_id>'
references:
  - https://attack.mitre.org/techniques/T1610/
covers: [WL-065, T1610-console]
controls: [AIS-06]
*/
SELECT DISTINCT
  event_id,
  CASE pod_security_level WHEN 'privileged' THEN 'medium' ELSE 'low' END AS severity,
  object || ' written through ' || product || ' as ' || coalesce(username, 'an unknown identity')
    || CASE WHEN pod_security_level = 'privileged' THEN ' requests ' || coalesce(array_to_string(pod_security_failed, ', '), 'privileged settings') ELSE '' END AS reason
FROM workloads
JOIN consoles ON
  (consoles.how = 'account' AND regexp_like(username, '^system:serviceaccount:[^:]+:(' || pattern || ')$'))
  OR (consoles.how = 'agent' AND regexp_like(user_agent, '^(' || pattern || ')([/ (]|$)', 'i'))
WHERE outcome = 'allowed' AND NOT made_by_controller AND subresource IS NULL AND verb IN ('create', 'update', 'patch')
  -- Objects that a platform derives from a written resource are covered by that resource.
  AND owner IS NULL
