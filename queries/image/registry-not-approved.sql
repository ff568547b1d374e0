/*
id: registry-not-approved
title: Image from an unapproved registry
severity: medium
routine: low
confidence: medium
risk: 25
attack: [T1610, T1525, T1204.003]
tactics: [Execution, Persistence]
description: >-
  A workload is written with an image from an unapproved registry: one for temporary images, a tunnel, or a public IP
  address. With a list of approved registries as a parameter, every other registry counts too.
blind_spots: Approved registries that mirror everything.
false_positives:
  - New vendors, where the list is set
references:
  - https://attack.mitre.org/techniques/T1610/
  - https://attack.mitre.org/techniques/T1204/003/
covers: [WL-036]
controls: [AIS-06]
parameters:
  registries:
    type: text_list
    default: []
    description: Approved registries, such as registry.internal, or with the first path element, such as docker.io/library; empty means all except temporary ones
*/
WITH images AS (
  SELECT
    event_id, role || ' ' || coalesce(name, '') || ' of ' || object || ' uses image ' || image AS reason,
    registry, registry || '/' || split_part(repository, '/', 1) AS part, split_part(registry, ':', 1) AS host
  FROM workload_images
  WHERE outcome = 'allowed' AND NOT made_by_controller
)
SELECT event_id, string_agg(DISTINCT reason, ', ') AS reason
FROM images
LEFT JOIN throwaway_registries ON regexp_like(host, '(^|\.)(' || throwaway_registries.registry || ')$')
WHERE throwaway_registries.registry IS NOT NULL
  OR (regexp_like(host, '^\d+\.\d+\.\d+\.\d+$') AND NOT is_private_ip(host))
  OR (cardinality($registries) > 0
    AND NOT coalesce(array_has($registries, images.registry), false) AND NOT coalesce(array_has($registries, part), false))
GROUP BY event_id
