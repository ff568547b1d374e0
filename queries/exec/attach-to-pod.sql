/*
id: attach-to-pod
aliases: [attach-to-foreign-pod]
title: Attach to a pod
severity: medium
confidence: high
risk: 25
attack: [T1609]
tactics: [Execution]
description: >-
  An identity attaches to the main process of a running container and can type into it. In a pod that another identity
  created, the severity is medium; kubectl run and kubectl debug attach to pods of their own.
blind_spots: Pods created before the log and the look-back count as another identity's.
false_positives:
  - kubectl run -it and kubectl debug -it, which attach to what they just created
  - Interactive programs kept running on purpose, such as game server consoles
triage:
  - >-
    SELECT time, username, verb, kind, name, service_account_name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1609/
  - https://kubernetes.io/docs/reference/kubectl/generated/kubectl_attach/
covers: [EX-002]
*/
SELECT
  event_id,
  CASE WHEN made.name IS NULL THEN 'medium' ELSE 'low' END AS severity,
  'attaches to ' || coalesce('container ' || container || ' of ', '') || 'pod ' || coalesce(execs.name, '')
    || CASE WHEN stdin THEN ' with standard input' ELSE '' END
    || CASE WHEN made.name IS NULL THEN ', which another identity created' ELSE '' END AS reason
FROM execs
LEFT JOIN own_pods AS made
  ON made.cluster = execs.cluster AND made.username = execs.username AND made.namespace = execs.namespace AND made.name = execs.name
WHERE subresource = 'attach' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
