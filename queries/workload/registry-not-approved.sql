/*
id: registry-not-approved
title: Image from a registry that is not approved
severity: medium
confidence: medium
risk: 25
attack: [T1610, T1525, T1204.003]
tactics: [Execution, Persistence]
description: >-
  A workload is written with an image that comes from none of the approved registries. Set the parameter to your
  registries; as long as it is empty, this finds nothing.
blind_spots: >-
  Writes that are logged at Metadata level show no containers. Approved registries that mirror everything.
false_positives:
  - New vendors
triage:
  - "SELECT time, username, verb, object, role, name, image, digest FROM containers WHERE event_id = '<event_id>'"
  - "SELECT min(time), max(time), username, namespace, image FROM containers WHERE image = '<image>' GROUP BY username, namespace, image"
  - "SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time"
references:
  - https://attack.mitre.org/techniques/T1610/
  - https://attack.mitre.org/techniques/T1204/003/
covers: [WL-036]
controls: [AIS-06]
parameters:
  registries:
    type: text_list
    default: []
    description: Approved registries, such as registry.internal, or with the first part of the path, such as docker.io/library
*/
SELECT event_id, string_agg(DISTINCT role || ' ' || coalesce(name, '') || ' of ' || object || ' has the image ' || image, ', ') AS reason
FROM containers
WHERE outcome = 'allowed' AND NOT made_by_controller AND image IS NOT NULL
  AND cardinality($registries) > 0
  AND NOT coalesce(array_has($registries, registry), false)
  AND NOT coalesce(array_has($registries, registry || '/' || split_part(repository, '/', 1)), false)
GROUP BY event_id
