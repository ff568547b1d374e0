/*
id: new-image-repository
title: First use of an image repository
severity: info
confidence: low
risk: 4
attack: [T1610, T1525]
tactics: [Execution, Persistence]
description: >-
  A workload uses an image from a repository that is new to the log and the look-back. New software arrives this way,
  and so does an attacker's image. The finding adds to the risk of the write.
blind_spots: Repositories and registries used only before the log begins. Writes whose bodies are not logged.
false_positives:
  - New releases and new vendors
triage:
  - >-
    SELECT time, username, object, namespace, image FROM containers WHERE workload_name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, object, namespace, outcome, service_account_name FROM workloads WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT time, username, verb, object, outcome FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1525/
covers: [WS-002]
controls: [AIS-06]
parameters:
  learning_seconds:
    type: integer
    default: 600
    description: How long the log must run before a repository counts as new
*/
SELECT
  event_id,
  'first image of repository ' || registry || '/' || repository || ' in this log: ' || object || coalesce(' in ' || namespace, '') || ' by '
    || coalesce(identity, 'an unknown identity') AS reason
FROM history_writes_images
WHERE in_scope AND nth_of_repository = 1 AND log_seconds >= $learning_seconds
