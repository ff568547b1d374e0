/*
id: attach-to-foreign-pod
title: Attach to another identity's pod
severity: medium
confidence: medium
risk: 25
attack: [T1609]
tactics: [Execution]
description: >-
  An identity attaches to a pod that it neither created nor gave a debug container. People usually attach to what they
  just started. Attaching to a running application shows its output and may send it commands.
blind_spots: Pods created before the log and the look-back count as another identity's. Input typed after the attach.
false_positives:
  - Interactive programs kept running on purpose, such as game server consoles
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
  -- Pods that the identity created or gave a debug container: kubectl run and kubectl debug attach to them.
  SELECT cluster, username, namespace, name FROM workloads WHERE kind = 'Pod' AND outcome = 'allowed'
  UNION
  SELECT cluster, username, namespace, name FROM workloads_history WHERE kind = 'Pod' AND outcome = 'allowed'
)
SELECT
  event_id,
  'attaches to pod ' || coalesce(name, '') || ', which another identity created' AS reason
FROM execs
LEFT ANTI JOIN made USING (cluster, username, namespace, name)
WHERE subresource = 'attach' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
