/*
id: scale-out
title: Large increase in replicas
severity: low
confidence: medium
risk: 5
attack: [T1610, T1496]
tactics: [Execution, Impact]
description: >-
  An identity multiplies the replicas of a workload, which uses more of the cluster's resources, at the owner's cost.
blind_spots: Writes logged at Metadata level. Changes to a version that is not in the log.
false_positives:
  - Load tests, and days with many customers
triage:
  - >-
    SELECT change, container, field, before, after FROM changes WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, change, container, before, after FROM changes WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/reference/kubectl/generated/kubectl_scale/
covers: [WL-062]
controls: [AIS-06]
parameters:
  replicas:
    type: integer
    description: Minimum number of replicas
    default: 10
  times:
    type: integer
    description: Minimum factor of the increase
    default: 5
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' scales ' || object || ' from ' || before || ' to ' || after AS reason
FROM changes
WHERE change = 'replicas' AND identity_kind <> 'controller' AND outcome = 'allowed'
  AND try_cast(after AS BIGINT) >= $replicas AND try_cast(after AS BIGINT) >= $times * greatest(try_cast(before AS BIGINT), 1)
