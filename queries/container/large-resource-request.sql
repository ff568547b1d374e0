/*
id: large-resource-request
title: Large CPU or GPU request
severity: low
confidence: medium
risk: 5
attack: [T1610, T1496]
tactics: [Execution, Impact]
description: A workload is created that requests GPUs or many CPU cores in one container, as cryptomining does.
blind_spots: Many small containers.
false_positives:
  - Machine learning and batch workloads
references:
  - https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/
covers: [WL-061]
controls: [AIS-06]
parameters:
  cores:
    type: integer
    default: 16
    description: Minimum number of cores of one container
*/
SELECT DISTINCT event_id, role || ' ' || coalesce(name, '') || ' of ' || object || ' requests ' || entry['value'] || ' ' || entry['key'] AS reason
FROM (
  SELECT event_id, role, name, object, unnest(map_entries(limits)) AS entry FROM pods_containers WHERE created OR verb = 'patch'
  UNION ALL
  SELECT event_id, role, name, object, unnest(map_entries(requests)) AS entry FROM pods_containers WHERE created OR verb = 'patch'
)
WHERE (entry['key'] LIKE '%/gpu%' OR entry['key'] LIKE '%.com/mig-%' OR entry['key'] LIKE '%/gpu')
  AND entry['value'] <> '0'
  OR entry['key'] = 'cpu' AND (
    CASE WHEN regexp_like(entry['value'], '^[0-9]{1,9}(\.[0-9]*)?$') THEN try_cast(entry['value'] AS DOUBLE)
      WHEN regexp_like(entry['value'], '^[0-9]{1,12}m$') THEN try_cast(rtrim(entry['value'], 'm') AS DOUBLE) / 1000
    END) >= $cores
