/*
id: mining-arguments
title: Cryptominer arguments in a workload
severity: high
confidence: high
risk: 60
attack: [T1610, T1496]
tactics: [Execution, Impact]
description: >-
  A workload is written whose command, hooks or environment use the protocol of mining pools, name a pool or a Monero
  address, or set options specific to cryptominers.
blind_spots: Cryptominers configured by a file or a ConfigMap.
false_positives:
  - Blockchain companies
references:
  - https://attack.mitre.org/techniques/T1496/
covers: [WL-041]
controls: [AIS-06]
*/
WITH texts AS (
  SELECT event_id, coalesce(role || ' ' || coalesce(container, '') || ' of ', '') || object AS place, code AS text
  FROM command_lines
  WHERE source = 'workload' AND outcome = 'allowed'
  UNION ALL
  SELECT event_id, role || ' ' || coalesce(container, '') || ' of ' || object AS place, variable['value'] AS text
  FROM (
    SELECT event_id, object, role, name AS container, unnest(env) AS variable
    FROM containers
    WHERE outcome = 'allowed' AND NOT made_by_controller
  )
  WHERE variable['value'] IS NOT NULL
)
SELECT event_id, place || ' contains ' || what || ': ' || left(text, 300) AS reason
FROM texts
JOIN command_patterns ON regexp_like(text, pattern, 'is')
WHERE kind = 'mining'
