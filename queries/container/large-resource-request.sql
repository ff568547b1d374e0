/*
id: large-resource-request
title: Large CPU or GPU request, or scale-out
aliases: [scale-out]
severity: low
confidence: medium
risk: 5
attack: [T1610, T1496]
tactics: [Execution, Impact]
description: >-
  A workload is created that requests GPUs or many CPU cores in one container, or the replicas of a workload are
  multiplied. Both use more of the cluster's resources at the owner's cost, as cryptomining does.
blind_spots: Many small containers. Scale-outs from a version that is not in the log.
false_positives:
  - Machine learning and batch workloads
  - Load tests, and days with many customers
references:
  - https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/
  - https://kubernetes.io/docs/reference/kubectl/generated/kubectl_scale/
covers: [WL-061, WL-062]
controls: [AIS-06]
parameters:
  cores:
    type: integer
    default: 16
    description: Minimum number of cores of one container
  replicas:
    type: integer
    default: 10
    description: Minimum number of replicas
  times:
    type: integer
    default: 5
    description: Minimum factor of the increase
*/
SELECT DISTINCT event_id, role || ' ' || coalesce(name, '') || ' of ' || object || ' requests ' || entry['value'] || ' ' || entry['key'] AS reason
FROM (
  SELECT event_id, role, name, object, unnest(map_entries(limits)) AS entry FROM authored_containers WHERE created OR verb = 'patch'
  UNION ALL
  SELECT event_id, role, name, object, unnest(map_entries(requests)) AS entry FROM authored_containers WHERE created OR verb = 'patch'
)
WHERE (entry['key'] LIKE '%/gpu%' OR entry['key'] LIKE '%.com/mig-%' OR entry['key'] LIKE '%/gpu')
  AND entry['value'] <> '0'
  OR entry['key'] = 'cpu' AND (
    CASE WHEN regexp_like(entry['value'], '^[0-9]{1,9}(\.[0-9]*)?$') THEN try_cast(entry['value'] AS DOUBLE)
      WHEN regexp_like(entry['value'], '^[0-9]{1,12}m$') THEN try_cast(rtrim(entry['value'], 'm') AS DOUBLE) / 1000
    END) >= $cores
UNION ALL
SELECT event_id, coalesce(username, 'an unknown identity') || ' scales ' || object || ' from ' || before || ' to ' || after AS reason
FROM changes
WHERE change = 'replicas' AND identity_kind <> 'controller' AND outcome = 'allowed'
  AND try_cast(after AS BIGINT) >= $replicas AND try_cast(after AS BIGINT) >= $times * greatest(try_cast(before AS BIGINT), 1)
