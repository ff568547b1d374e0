/*
id: attach-to-foreign-pod
title: Attach to another identity's pod
severity: medium
confidence: medium
risk: 25
attack: [T1609]
tactics: [Execution]
description: >-
  Somebody attaches to a pod that the same identity has neither made nor given a debug container. People attach to
  what they have just started; the process of a running application has no use for them, but shows its output and
  may take commands.
blind_spots: >-
  Pods that were made before the log and its history begin count as somebody else's. What is typed.
false_positives:
  - Interactive programs that are kept running on purpose, such as consoles of game servers
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, username, verb, kind, name, service_account_name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1609/
  - https://kubernetes.io/docs/reference/kubectl/generated/kubectl_attach/
covers: [EX-002]
*/
WITH made AS (
  -- Pods that the identity made, or put a debug container into: kubectl run and kubectl debug attach to them.
  SELECT cluster, username, namespace, name FROM workloads WHERE kind = 'Pod' AND outcome = 'allowed'
  UNION
  SELECT cluster, username, namespace, name FROM workloads_history WHERE kind = 'Pod' AND outcome = 'allowed'
)
SELECT
  event_id,
  'attaches to pod ' || coalesce(name, '') || ', which somebody else has made' AS reason
FROM execs
LEFT ANTI JOIN made USING (cluster, username, namespace, name)
WHERE subresource = 'attach' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
