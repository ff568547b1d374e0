/*
id: image-from-elsewhere
title: Image replaced by one from elsewhere
severity: medium
confidence: medium
risk: 30
attack: [T1610, T1525]
tactics: [Execution, Defense Evasion, Persistence]
description: >-
  The image of a workload that exists is replaced by one from a public registry where the one before came from a
  private one, or from a registry that is given by the number of its address.
blind_spots: Writes that are logged at Metadata level. Changes against a version that the log does not show.
false_positives:
  - Moves to an image of the vendor
triage:
  - >-
    SELECT change, container, field, before, after FROM changes WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, change, container, before, after FROM changes WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1525/
covers: [WL-058, WL-036]
controls: [AIS-06]
*/
SELECT event_id, object || ' takes ' || after || ' instead of ' || before AS reason
FROM (
  SELECT
    *,
    CASE WHEN regexp_like(before, '^([^/]*[.:][^/]*|localhost)/') THEN split_part(before, '/', 1) ELSE 'docker.io' END AS registry_before,
    CASE WHEN regexp_like(after, '^([^/]*[.:][^/]*|localhost)/') THEN split_part(after, '/', 1) ELSE 'docker.io' END AS registry_after
  FROM changes
  WHERE change = 'image' AND before IS NOT NULL AND after IS NOT NULL AND NOT made_by_controller AND outcome = 'allowed'
)
LEFT JOIN public_registries AS public_before ON public_before.registry = registry_before
LEFT JOIN public_registries AS public_after ON public_after.registry = registry_after
WHERE registry_before <> registry_after
  AND ((public_after.registry IS NOT NULL AND public_before.registry IS NULL)
    OR regexp_like(registry_after, '^[0-9]+(\.[0-9]+){3}(:[0-9]+)?$'))
