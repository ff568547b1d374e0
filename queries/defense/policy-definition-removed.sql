/*
id: policy-definition-removed
title: CustomResourceDefinition of a policy kind deleted
severity: medium
routine: low
confidence: high
risk: 40
attack: [T1685]
tactics: [Defense Impairment]
description: >-
  The CustomResourceDefinition of a kind that configures a policy engine or a security agent is deleted. All policies of
  that kind are deleted with it.
blind_spots: Kinds that are not in the table guard_kinds.
false_positives:
  - Removal of a policy engine
triage:
  - >-
    SELECT time, verb, resource, subresource, namespace, name, outcome FROM events WHERE username = '<identity>' ORDER BY time
  - >-
    SELECT * FROM identities WHERE username = '<identity>'
references:
  - https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
covers: [DE-004]
*/
SELECT DISTINCT event_id, verb || ' of CustomResourceDefinition ' || coalesce(name, 'all kinds') || coalesce(', of ' || guard_kinds.product, '') || ', by ' || coalesce(username, 'an unknown identity') AS reason
FROM (
  SELECT *, split_part(name, '.', 1) AS plural, substr(name, strpos(name, '.') + 1) AS defined_group
  FROM events
  WHERE activity = 'write' AND resource = 'customresourcedefinitions' AND subresource IS NULL
    AND verb IN ('delete', 'deletecollection') AND outcome = 'allowed' AND identity_kind <> 'controller'
) AS deleted
LEFT JOIN guard_kinds ON defined_group = guard_kinds.api_group AND plural LIKE guard_kinds.resource AND guard_kinds.kind <> 'log'
WHERE guard_kinds.kind IS NOT NULL OR verb = 'deletecollection'
