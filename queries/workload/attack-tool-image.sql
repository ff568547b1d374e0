/*
id: attack-tool-image
title: Attack tool or miner image
severity: high
attack: [T1610, T1496]
description: >-
  A workload is written whose image, container or command names a known tool for attacking clusters or mining coins,
  or speaks the protocol of mining pools.
blind_spots: >-
  Writes that are logged at Metadata level, and tools under other names: this finds the careless.
false_positives:
  - Approved security scans with kube-hunter and the like
references:
  - https://attack.mitre.org/techniques/T1610/
parameters:
  tools:
    type: text
    description: Regular expression over image names and commands, matched at word boundaries
    default: >-
      xmrig|xmr-stak|minerd|cpuminer|ccminer|cgminer|ethminer|t-rex-miner|nbminer|phoenixminer|lolminer|cryptonight|monero|moneroocean|minergate|nanopool|kinsing|kdevtmpfsi|peirates|kube-hunter|kubehunter|kubesploit|botb|break-out-the-box|deepce|cdk-team|cdk_linux_amd64|amicontained|kubeletctl|kdigger|stratus-red-team|sliver|metasploit|meterpreter|cobaltstrike
  mining:
    type: text
    description: Regular expression of mining arguments
    default: stratum\+(tcp|ssl|tls)://|--donate-level|--coin[= ]|--algo[= ](rx|randomx|cryptonight|kawpow|ethash)|--nicehash
*/
SELECT
  event_id,
  role || ' ' || coalesce(name, '') || ' of ' || object || ' names '
    || coalesce(regexp_match(line, tool, 'i')[1], regexp_match(line, mining, 'i')[1]) AS reason
FROM (
  SELECT
    *,
    '(?:^|[^a-z0-9])(' || $tools || ')(?:$|[^a-z0-9])' AS tool,
    '(' || $mining || ')' AS mining,
    concat_ws(' ', image, name, array_to_string(command, ' '), array_to_string(args, ' ')) AS line
  FROM containers
)
WHERE (regexp_like(line, tool, 'i') OR regexp_like(line, mining, 'i'))
  AND outcome = 'allowed' AND NOT made_by_controller
