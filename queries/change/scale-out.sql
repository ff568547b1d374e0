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
false_positives:
  - Load tests, and days with many customers
references:
  - https://kubernetes.io/docs/reference/kubectl/generated/kubectl_scale/
covers: [WL-062]
controls: [AIS-06]
parameters:
  replicas:
    type: integer
    default: 10
    description: Minimum number of replicas
  times:
    type: integer
    default: 5
    description: Minimum factor of the increase
*/
SELECT event_id, coalesce(username, 'an unknown identity') || ' scales ' || object || ' from ' || before || ' to ' || after AS reason
FROM changes
WHERE change = 'replicas' AND identity_kind <> 'controller' AND outcome = 'allowed'
  AND try_cast(after AS BIGINT) >= $replicas AND try_cast(after AS BIGINT) >= $times * greatest(try_cast(before AS BIGINT), 1)
