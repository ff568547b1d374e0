/*
id: new-image-source
aliases: [new-registry, new-image-repository]
title: First use of an image registry or repository
severity: low
confidence: medium
risk: 10
attack: [T1610, T1525]
tactics: [Execution, Persistence]
description: >-
  A workload uses an image from a registry that is new to the log and the look-back. Clusters use few registries; a new
  one belongs to a new vendor or to an attacker. A new repository of a known registry is info.
blind_spots: Repositories and registries used only before the log begins. Writes whose bodies are not logged.
false_positives:
  - New releases and new vendors
triage:
  - SELECT time, username, object, namespace, image FROM containers WHERE workload_name = '<name>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1525/
covers: [WS-003, WS-002]
controls: [AIS-06]
parameters:
  learning_seconds: {type: integer, default: 300, description: How long the log must run before a registry counts as new}
  repository_learning_seconds: {type: integer, default: 600, description: How long the log must run before a repository counts as new}
*/
SELECT
  event_id,
  CASE WHEN is_new_registry THEN 'low' ELSE 'info' END AS severity,
  'first image of ' || CASE WHEN is_new_registry THEN 'registry ' || registry ELSE 'repository ' || registry || '/' || repository END
    || ' in this log: ' || object || coalesce(' in ' || namespace, '') || ' by ' || coalesce(identity, 'an unknown identity') AS reason
FROM (SELECT *, nth_of_registry = 1 AND log_seconds >= $learning_seconds AS is_new_registry FROM history_writes_images WHERE in_scope)
WHERE is_new_registry OR nth_of_repository = 1 AND log_seconds >= $repository_learning_seconds
