/*
id: dangerous-capabilities
title: Dangerous capability added
severity: medium
attack: [T1610, T1611]
description: >-
  A workload is written with a container that gets a Linux capability with which it can leave its sandbox, read other
  processes, load kernel code or take over the node's network.
blind_spots: Writes that are logged at Metadata level.
false_positives:
  - Network plugins, eBPF agents, load balancers and VPN gateways
references:
  - https://man7.org/linux/man-pages/man7/capabilities.7.html
parameters:
  capabilities:
    type: text_list
    description: Capabilities that count, without CAP_
    default:
      [ALL, SYS_ADMIN, SYS_MODULE, SYS_PTRACE, SYS_RAWIO, SYS_BOOT, SYSLOG, BPF, PERFMON, DAC_READ_SEARCH, NET_ADMIN,
       MAC_ADMIN, MAC_OVERRIDE, CHECKPOINT_RESTORE]
*/
SELECT
  event_id,
  role || ' ' || coalesce(name, '') || ' of ' || object || ' adds '
    || array_to_string(array_intersect(capabilities_add, $capabilities), ', ') AS reason
FROM containers
WHERE array_has_any(capabilities_add, $capabilities) AND outcome = 'allowed' AND NOT made_by_controller
