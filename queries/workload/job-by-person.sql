/*
id: job-by-person
title: Job started by a person
severity: low
confidence: low
risk: 3
attack: [T1610, T1053.007]
tactics: [Execution, Persistence]
description: >-
  A person starts a Job by hand. Its code runs once, with the rights and secrets of the namespace, and the Job cleans up
  after itself.
blind_spots: >-
  None: the request is visible at every audit level.
false_positives:
  - Manual migrations and repairs
triage:
  - >-
    SELECT time, username, verb, object, body_source, service_account_name, node_name, outcome FROM workloads WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT role, name, image, command, args, privileged FROM containers WHERE event_id = '<event_id>'
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/workloads/controllers/job/
covers: [WL-052]
controls: [AIS-06]
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' creates ' || object || ' in ' || coalesce(namespace, '') AS reason
FROM pods_workloads
WHERE kind = 'Job' AND subresource IS NULL AND created AND identity_kind IN ('human', 'anonymous')
