/*
id: port-forward-to-data-store
title: Port-forward to a data store or platform component
severity: medium
confidence: medium
risk: 25
attack: [T1572, T1090]
tactics: [Command and Control, Lateral Movement, Collection]
description: >-
  An identity forwards a port of a pod that it did not create and that holds data or secrets or belongs to the platform.
  The name indicates a database, a queue or a secret store, or the pod is a member of a StatefulSet. The connection
  bypasses network policies and the access rules of the database's network.
blind_spots: >-
  The port: over a WebSocket it is not in the URL. Data stores whose pods have other names.
false_positives:
  - People who inspect the database of a development environment
triage:
  - SELECT time, username, client_ip, user_agent, namespace, name, container, command_line, tty, status_code FROM execs WHERE event_id = '<event_id>'
  - SELECT time, subresource, namespace, name, command_line FROM execs WHERE username = '<identity>' ORDER BY time
  - SELECT time, username, verb, kind, name, service_account_name FROM workloads WHERE namespace = '<namespace>' ORDER BY time
references:
  - https://attack.mitre.org/techniques/T1572/
covers: [EX-003]
*/
WITH made AS (
  -- Pods that the identity created or gave a debug container: kubectl run and kubectl debug attach to them.
  SELECT cluster, username, namespace, name FROM workloads WHERE kind = 'Pod' AND outcome = 'allowed'
  UNION
  SELECT cluster, username, namespace, name FROM workloads_history WHERE kind = 'Pod' AND outcome = 'allowed'
),
targets AS (
  SELECT
    event_id, cluster, username, execs.namespace, execs.name,
    CASE
      WHEN owner IS NOT NULL THEN 'of ' || owner
      WHEN what IS NOT NULL THEN 'whose name indicates a ' || what
      WHEN regexp_like(execs.name, '-[0-9]{1,3}$') THEN 'of a StatefulSet'
    END AS why
  FROM execs
  LEFT JOIN system_namespaces ON execs.namespace LIKE system_namespaces.namespace
  LEFT JOIN data_stores ON regexp_like(execs.name, '(^|[-._])(' || data_stores.name || ')([-._0-9]|$)', 'i')
  WHERE subresource = 'portforward' AND outcome NOT IN ('denied_authn', 'denied_authz', 'denied_admission')
)
SELECT DISTINCT event_id, 'forwards a port of pod ' || name || ', ' || why AS reason
FROM targets
LEFT ANTI JOIN made USING (cluster, username, namespace, name)
WHERE why IS NOT NULL
