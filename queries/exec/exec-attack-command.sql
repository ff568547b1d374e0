/*
id: exec-attack-command
aliases: [exec-reverse-shell, exec-host-escape, exec-mining-or-attack-tool, exec-persistence, exec-shell-upgrade]
title: Attack command through exec
severity: high
confidence: high
risk: 60
attack: [T1609, T1059.004, T1105, T1611, T1496, T1046, T1053.003, T1070, T1059]
tactics: [Execution, Command and Control, Privilege Escalation, Impact, Discovery, Persistence, Stealth]
description: >-
  A command run in a container connects a shell to another host, opens a tunnel, downloads or decodes code and runs it,
  accesses the node, or runs a miner or an attack tool. Commands that change start-up files, accounts or logs, or start
  a shell through another program, as attackers do to get a terminal, are medium.
blind_spots: Code in an existing file. Renamed tools. Programs that are not in the table command_patterns.
false_positives:
  - Installers that people pipe into a shell to debug
  - Engineers who repair a node through a privileged pod
  - Announced penetration tests
  - Repairs of containers that keep state
  - Engineers whose image offers no other way to get a terminal
references:
  - https://attack.mitre.org/techniques/T1059/004/
  - https://attack.mitre.org/techniques/T1611/
  - https://attack.mitre.org/techniques/T1496/
  - https://attack.mitre.org/techniques/T1046/
  - https://attack.mitre.org/techniques/T1053/003/
  - https://attack.mitre.org/techniques/T1070/
  - https://gtfobins.github.io/
covers: [EX-005, EX-014]
*/
SELECT event_id, severity, attack, reason
FROM exec_command_matches
WHERE detection = 'exec-attack-command'
UNION ALL
SELECT event_id, 'high' AS severity, make_array('T1609', 'T1496', 'T1046') AS attack, 'command in ' || object || ' runs ' || kind || ': ' || left(line, 300) AS reason
FROM exec_command_lines
JOIN attack_tools ON regexp_like(code, '\b(' || tool || ')\b', 'is')
