/*
id: exec-data-transfer
aliases: [exec-data-sent-away, exec-data-dump, exec-download, exec-package-install, copy-from-pod]
title: Data transfer or download through exec
severity: medium
confidence: medium
risk: 35
attack: [T1609, T1041, T1530, T1105]
tactics: [Exfiltration, Collection, Command and Control, Execution]
description: >-
  A command run in a container sends data to another host, dumps a database or archives whole folders, or downloads
  files from outside the network. Installed packages and files copied out of a pod, as kubectl cp does, are low.
blind_spots: Copies by other means, such as cat. Downloads from hosts inside the network.
false_positives:
  - Backups through exec, and databases copied by hand
  - Engineers who download or install a tool to troubleshoot, or fetch logs, dumps and profiles
references:
  - https://attack.mitre.org/techniques/T1041/
  - https://attack.mitre.org/techniques/T1530/
  - https://kubernetes.io/docs/reference/kubectl/generated/kubectl_cp/
  - https://attack.mitre.org/techniques/T1105/
covers: [EX-009, EX-008]
*/
SELECT event_id, severity, attack, reason
FROM exec_command_matches
WHERE detection = 'exec-data-transfer'
UNION ALL
-- kubectl cp: tar writes an archive to its output.
SELECT event_id, 'low' AS severity, make_array('T1609', 'T1530') AS attack, 'copies files from pod ' || coalesce(name, '') || ': ' || left(command_line, 300) AS reason
FROM execs
WHERE subresource = 'exec'
  AND regexp_like(command_line, '\btar\s+((-{1,2}\S+\s+)*-?\w*c\w*\s+((-\S*\s+)*-(\s|$)|-)|[^|;&>]*-O\b|-?[a-eg-z]*c[a-eg-z]*\s+[^-|;&>][^|;&>]*$)', 'i')
  AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
