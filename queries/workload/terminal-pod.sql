/*
id: terminal-pod
title: Pod with an interactive terminal
severity: low
confidence: medium
risk: 5
attack: [T1610, T1609]
tactics: [Execution]
description: >-
  A pod is created with a terminal and open standard input, as kubectl run -it does, or its creator attaches to it
  within five minutes. A person works in it interactively.
blind_spots: A terminal requested later, through exec.
false_positives:
  - Engineers who debug
references:
  - https://kubernetes.io/docs/reference/kubectl/generated/kubectl_run/
covers: [WL-034]
controls: [AIS-06]
*/
SELECT DISTINCT event_id, reason
FROM (
  SELECT event_id, role || ' ' || coalesce(name, '') || ' of ' || object || ' has a terminal' AS reason
  FROM authored_containers
  WHERE kind = 'Pod' AND stdin AND tty AND created AND subresource IS NULL
  UNION ALL
  SELECT made.event_id, made.object || ' attached to by its creator ' || made.username AS reason
  FROM authored_workloads AS made
  JOIN execs AS attached
    ON attached.cluster = made.cluster AND attached.namespace = made.namespace AND attached.name = made.name
    AND attached.username = made.username
  WHERE made.kind = 'Pod' AND made.created AND made.subresource IS NULL
    AND attached.subresource = 'attach' AND attached.outcome = 'allowed'
    AND attached.time BETWEEN made.time AND made.time + INTERVAL '5 minutes'
)
