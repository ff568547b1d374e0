/*
id: hardening-removed
title: Hardening of a workload removed
severity: low
confidence: medium
risk: 5
attack: [T1610, T1685]
tactics: [Execution, Defense Impairment]
description: >-
  An identity changes an existing workload so that it fails a check of the restricted level that it passed before, such
  as not running as root, or uses the host network or a host port.
blind_spots: Writes logged at Metadata level. Changes to a version that is not in the log.
false_positives:
  - Chart upgrades, and sidecars that are not hardened
triage:
  - >-
    SELECT change, container, field, before, after FROM changes WHERE event_id = '<event_id>'
  - >-
    SELECT time, username, verb, change, container, before, after FROM changes WHERE namespace = '<namespace>' AND name = '<name>' ORDER BY time
  - >-
    SELECT time, verb, resource, namespace, name, client_ip, user_agent, outcome FROM events WHERE username = '<identity>' AND activity <> 'read' ORDER BY time
references:
  - https://kubernetes.io/docs/concepts/security/pod-security-standards/
covers: [WL-060]
controls: [AIS-06]
*/
SELECT
  event_id,
  coalesce(username, 'an unknown identity') || ' weakens ' || object || coalesce(', container ' || container, '') || ': ' || field
    || ' from ' || coalesce(before, 'unset') || ' to ' || coalesce(after, 'unset') AS reason
FROM changes
WHERE change = 'security weakened' AND NOT made_by_controller AND outcome = 'allowed'
  AND field IN ('allowPrivilegeEscalation', 'runAsNonRoot', 'runAsUser', 'readOnlyRootFilesystem', 'seccompProfile_restricted', 'capabilities_restricted', 'restrictedVolumes', 'procMount_restricted', 'hostPorts', 'hostPort', 'hostNetwork', 'shareProcessNamespace', 'automountServiceAccountToken', 'hostUsers')
